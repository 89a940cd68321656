-- credentials: a caller looks at their own credentials for the API.
-- KEYS 1 account 2 revoked 3 credentials   ARGV 1 token id 2 issued ms 3 requests/min
-- returns {'OK', {place, '<set ms>|<kind>|<sealed>', …}} | {'REVOKED'} | {'LIMITED', ms}
local a, refused = let_in(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3])
if not a then return refused end
return {'OK', redis.call('HGETALL', KEYS[3])}
