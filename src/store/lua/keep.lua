-- keep: a reply of a user is kept for a while; of too many the oldest go.
-- KEYS 1 the user's kept replies (zset id → until) 2 this reply
-- Which ones go is not known before: their names are ARGV 1 with the id behind it, of the same slot as the keys, so a Cluster allows it.
-- ARGV 1 what their names begin with 2 id 3 record 4 ms to keep it 5 how many at most
-- returns 1
local until_ms = now + tonumber(ARGV[4])
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], until_ms, ARGV[2])
local extra = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[5])
if extra > 0 then
  for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, extra - 1)) do redis.call('DEL', ARGV[1] .. id) end
  redis.call('ZREMRANGEBYRANK', KEYS[1], 0, extra - 1)
end
-- the newest lives longest, unless the time to keep was made shorter since
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then redis.call('PEXPIRE', KEYS[1], ARGV[4]) end
return 1
