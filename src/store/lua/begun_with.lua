-- begun_with: whoever has taken a run that was begun with an API key finds out whether the key still stands, and has it stopped with the key from
-- now on (key_remove).
-- KEYS 1 account 2 session   ARGV 1 run 2 token 3 the key, as its field in the account
-- returns {'OK'} | {'STOP', why} | {'STALE'}
local s = redis.call('HMGET', KEYS[2], 'rid', 'tok')
if s[1] ~= ARGV[1] or s[2] ~= ARGV[2] then return {'STALE'} end
if redis.call('HEXISTS', KEYS[1], ARGV[3]) == 0 then return {'STOP', 'revoked'} end
redis.call('HSET', KEYS[2], 'by', ARGV[1] .. '|' .. ARGV[3])
return {'OK'}
