-- step: a run writes its journal and renews its lease, if it still holds it. Without fields it is the heartbeat.
-- KEYS 1 session 2 history 3 journal 4 x 5 waiting
-- ARGV 1 run 2 token 3 lease ms 4 idle ms 5 member 6.. field, value, field, value …
-- returns {'OK'} | {'STOP', why} | {'STALE'}
local s = redis.call('HMGET', KEYS[1], 'rid', 'tok', 'cx', 'exp')
if s[1] ~= ARGV[1] or s[2] ~= ARGV[2] then return {'STALE'} end
local lasts = (tonumber(s[4] or '0') or 0) - now
if lasts <= 0 then return {'STALE'} end
for i = 6, #ARGV, 2 do redis.call('HSETNX', KEYS[3], ARGV[1] .. '|' .. ARGV[i], ARGV[i + 1]) end
redis.call('HSET', KEYS[1], 'lu', now + tonumber(ARGV[3]))
local ttl = math.min(tonumber(ARGV[4]), lasts)
for _, key in ipairs({KEYS[1], KEYS[2], KEYS[3], KEYS[5]}) do redis.call('PEXPIRE', key, ttl) end
redis.call('ZADD', KEYS[4], 'XX', now + ttl, ARGV[5])   -- the index knows when the session ends, also during a long run
if s[3] then return {'STOP', s[3]} end
return {'OK'}
