-- refresh: a refresh token is exchanged for its successor. Repeating it is safe, for a while (ARGV 6).
-- KEYS 1 account 2 revoked 3 refresh
-- ARGV 1 family 2 digest of the token that came 3 digest of its successor 4 the successor, sealed for whoever has the one that came
--      5 ms that the family lasts from now 6 ms in which the one before may come again 7 ms that access tokens may still live 8 requests/min
-- returns {'OK', role, now} | {'AGAIN', role, now, the successor that it got, sealed} | {'USED'} the family is revoked | {'UNKNOWN'}
--       | {'REVOKED'} | {'LIMITED', ms}
local f = family_of(redis.call('HGET', KEYS[3], ARGV[1]))
if not f then return {'UNKNOWN'} end
local a = redis.call('HMGET', KEYS[1], 'role', 'dis', 'tv', 'rr')
if not a[1] or a[2] == '1' or f.born < tonumber(a[3] or '0') then
  redis.call('HDEL', KEYS[3], ARGV[1])
  return {'REVOKED'}
end
-- the family's name is known to those only who have had one of its tokens. So whatever comes under it and is not the good one was used
-- before, and two have it (RFC 9700, 4.14.2). It is forgiven if it is the one right before the good one, and soon after that was made:
-- the answer was lost on its way, and whoever asks again gets what they got. The good one, once it was used, makes that impossible.
local again = ARGV[2] == f.before and now - f.rotated <= tonumber(ARGV[6])
if ARGV[2] ~= f.good and not again then
  redis.call('HDEL', KEYS[3], ARGV[1])
  revoke(KEYS[1], KEYS[2], ARGV[1], now + tonumber(ARGV[7]))
  return {'USED'}
end
local wait, at = due(a[4], ARGV[8])
if wait > 0 then return {'LIMITED', wait} end
redis.call('HSET', KEYS[1], 'rr', at)
if again then return {'AGAIN', a[1], now, f.sealed} end
keep_family(KEYS[3], ARGV[1],
  {born = f.born, ends = now + tonumber(ARGV[5]), rotated = now, good = ARGV[3], before = ARGV[2], sealed = ARGV[4]})
return {'OK', a[1], now}
