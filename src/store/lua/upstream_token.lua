-- upstream_token: a token for the API that all replicas share; the first who finds none is the one to fetch it.
-- KEYS 1 token   ARGV 1 who asks 2 ms that a claim lasts
-- returns {'KEPT', sealed} | {'CLAIMED'} | {'AWAITED', ms left}
local h = redis.call('HMGET', KEYS[1], 'tok', 'end', 'own', 'lu')
if h[1] and (tonumber(h[2] or '') or 0) > now then return {'KEPT', h[1]} end
local lapses = h[3] and tonumber(h[4] or '') or 0
if lapses > now and h[3] ~= ARGV[1] then return {'AWAITED', lapses - now} end
redis.call('HDEL', KEYS[1], 'tok', 'end')
redis.call('HSET', KEYS[1], 'own', ARGV[1], 'lu', now + ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {'CLAIMED'}
