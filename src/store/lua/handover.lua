-- handover: a replica that goes down gives a run that it holds back, as it is: whoever takes it goes on from its journal.
-- KEYS 1 session 2 open   ARGV 1 run 2 token 3 member 4 ms after which somebody shall look after it
-- returns 1 given back | 0 it was not held any more
local s = redis.call('HMGET', KEYS[1], 'rid', 'tok')
if s[1] ~= ARGV[1] or s[2] ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'own', '', 'tok', '', 'lu', 0)
redis.call('HINCRBY', KEYS[1], 'try', -1)   -- no crash: it does not count as one
redis.call('ZADD', KEYS[2], now + tonumber(ARGV[4]), ARGV[3])
return 1
