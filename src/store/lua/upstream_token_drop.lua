-- upstream_token_drop: the API refused this very token. One that was fetched since stays.
-- KEYS 1 token   ARGV 1 sealed
-- returns 1 dropped | 0 it was not there any more
if redis.call('HGET', KEYS[1], 'tok') ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'tok', 'end')
return 1
