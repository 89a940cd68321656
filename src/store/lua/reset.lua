-- reset: a caller begins anew: another session id, nothing of the old one. A run that still holds the old session is fenced off.
-- This is also the way out of a session whose record cannot be read.
-- KEYS 1 account 2 revoked 3 session 4 history 5 journal 6 x 7 la 8 sm 9 kept replies
-- ARGV 1 token id 2 issued ms 3 requests/min 4 idle ms 5 max ms 6 member 7 the new session id 8 what the names of kept replies begin with
-- returns {'OK', role, now, {session}} | {'REVOKED'} | {'LIMITED', ms}
local a = account_of(KEYS[1], KEYS[2], ARGV[1], ARGV[2])
if not a then return {'REVOKED'} end
local wait, at = due(a[5], ARGV[3])
if wait > 0 then return {'LIMITED', wait} end
redis.call('HSET', KEYS[1], 'rr', at, 'lt', now)
for _, id in ipairs(redis.pcall('ZRANGE', KEYS[9], 0, -1)) do redis.call('DEL', ARGV[8] .. id) end
redis.call('DEL', KEYS[3], KEYS[4], KEYS[5], KEYS[9])
redis.call('HINCRBY', KEYS[1], 'gen', 1)
local s = fresh(KEYS[3], ARGV[7], tonumber(ARGV[5]))
keep(s, tonumber(ARGV[4]), {KEYS[3]}, ARGV[6], KEYS[6], KEYS[7], KEYS[8])
return {'OK', a[1], now, told(s)}
