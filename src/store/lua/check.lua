-- check: may this administrator ask? Stands first in the pipeline of every administrator's request.
-- KEYS 1 account 2 revoked   ARGV 1 token id 2 issued ms 3 requests/min
-- returns {'OK', role, now} | {'REVOKED'} | {'LIMITED', ms}
local a, refused = let_in(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3])
if not a then return refused end
return {'OK', a[1], now}
