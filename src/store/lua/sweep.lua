-- sweep: takes ended sessions out of one bucket's index; the sessions' own keys have died by themselves.
-- KEYS 1 x 2 la 3 sm   ARGV 1 how many at most
-- returns how many were taken out
local dead = redis.call('ZRANGE', KEYS[1], '-inf', now, 'BYSCORE', 'LIMIT', 0, ARGV[1])
if #dead > 0 then
  expired(KEYS[1], KEYS[3], dead)
  redis.call('ZREM', KEYS[1], unpack(dead)); redis.call('ZREM', KEYS[2], unpack(dead)); redis.call('HDEL', KEYS[3], unpack(dead))
end
return #dead
