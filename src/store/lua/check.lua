-- check: may this administrator ask? Stands first in the pipeline of every administrator's request.
-- KEYS 1 account 2 revoked   ARGV 1 token id 2 issued ms 3 requests/min
-- returns {'OK', role, now} | {'REVOKED'} | {'LIMITED', ms}
local a = account_of(KEYS[1], KEYS[2], ARGV[1], ARGV[2])
if not a then return {'REVOKED'} end
local wait, at = due(a[5], ARGV[3])
if wait > 0 then return {'LIMITED', wait} end
redis.call('HSET', KEYS[1], 'rr', at)
return {'OK', a[1], now}
