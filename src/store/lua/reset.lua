-- reset: a caller begins anew: another session id, nothing of the old one. A run that still holds the old session is fenced off.
-- This is also the way out of a session whose record cannot be read.
-- KEYS 1 account 2 revoked 3 session 4 history 5 journal 6 x 7 la 8 sm 9 waiting 10 runs 11 open 12 kept replies 13 events
-- ARGV 1 token id 2 issued ms 3 requests/min 4 idle ms 5 max ms 6 member 7 the new session id
--      8 9 10 session, fence, version that the client knows, or '', 0, 0 11 what the names of kept replies begin with
-- (only the list in 12 knows these; they have the same slot as the keys, so a Cluster allows it)
-- returns {'OK', ms that requests are ahead, role, now, {session}} | {'REVOKED'} | {'LIMITED', ms} | {'MOVED', session, fence, version}
local a = account_of(KEYS[1], KEYS[2], ARGV[1], ARGV[2])
if not a then return {'REVOKED'} end
local wait, at, ahead = due(a[5], ARGV[3])
if wait > 0 then return {'LIMITED', wait} end
redis.call('HSET', KEYS[1], 'rr', at, 'lt', now)
if ARGV[8] ~= '' then
  local not_expected = moved(session_of(KEYS[3]), a[7], ARGV[8], ARGV[9], ARGV[10])
  if not_expected then return not_expected end
end
local gen = wipe(KEYS[1], {KEYS[3], KEYS[4], KEYS[5], KEYS[9], KEYS[10], KEYS[11], KEYS[12], KEYS[13]}, ARGV[6], ARGV[11], 'reset')
local s = fresh(KEYS[3], ARGV[7], tonumber(ARGV[5]))
keep(s, tonumber(ARGV[4]), {KEYS[3]}, ARGV[6], KEYS[6], KEYS[7], KEYS[8])
return {'OK', ahead, a[1], now, told(s, gen)}
