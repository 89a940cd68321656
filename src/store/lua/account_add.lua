-- account_add: a new user, unless the name is taken.
-- KEYS 1 account 2 the bucket's users   ARGV 1 role 2 password hash 3 listed name 4 '1': it has scopes of its own 5 these 6 '1': the password must be changed
-- returns 1 added | 0 the name is taken
if redis.call('HEXISTS', KEYS[1], 'role') == 1 then return 0 end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('HSET', KEYS[1], 'role', ARGV[1], 'ph', ARGV[2], 'ca', now)
-- tokens of somebody who had this name before are nobody's; for somebody without a password an issuer answers, and its tokens are older than this
if ARGV[2] ~= '' then redis.call('HSET', KEYS[1], 'tv', now) end
if ARGV[6] == '1' then redis.call('HSET', KEYS[1], 'mc', '1') end
if ARGV[4] == '1' then redis.call('HSET', KEYS[1], 'sc', ARGV[5]) end
redis.call('SADD', KEYS[2], ARGV[3])
return 1
