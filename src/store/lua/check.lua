-- check: may this caller ask what administrators do? Stands first in the pipeline of every administrator's request.
-- KEYS 1 account 2 revoked   ARGV 1 token id 2 issued ms 3 requests/min
-- returns {'OK', role, now, scopes of the account's own or nothing} | {'REVOKED'} | {'LIMITED', ms}
local a, refused = let_in(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3])
if not a then return refused end
return {'OK', a[1], now, redis.call('HGET', KEYS[1], 'sc')}
