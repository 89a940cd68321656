-- credential_put: a caller's own credential for the API takes the place of the one that was there.
-- KEYS 1 account 2 revoked 3 credentials
-- ARGV 1 token id 2 issued ms 3 requests/min 4 place 5 kind 6 sealed 7 the most a user may have
-- returns {'OK', now} | {'FULL'} | {'REVOKED'} | {'LIMITED', ms}
local a, refused = let_in(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3])
if not a then return refused end
if redis.call('HEXISTS', KEYS[3], ARGV[4]) == 0 and redis.call('HLEN', KEYS[3]) >= tonumber(ARGV[7]) then return {'FULL'} end
redis.call('HSET', KEYS[3], ARGV[4], string.format('%d|', now) .. ARGV[5] .. '|' .. ARGV[6])
return {'OK', now}
