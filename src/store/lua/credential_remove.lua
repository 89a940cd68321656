-- credential_remove: a caller's own credential for the API goes.
-- KEYS 1 account 2 revoked 3 credentials   ARGV 1 token id 2 issued ms 3 requests/min 4 place
-- returns {'OK', 1 removed | 0 there was none} | {'REVOKED'} | {'LIMITED', ms}
local a, refused = let_in(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3])
if not a then return refused end
return {'OK', redis.call('HDEL', KEYS[3], ARGV[4])}
