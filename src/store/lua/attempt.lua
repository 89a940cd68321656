-- attempt: somebody tries a password. It counts as a failure until it turns out not to be one, so that many at once are counted too.
-- KEYS 1 failures for the account 2 those from one address
-- ARGV 1 most for the account 2 ms in which they count 3 most from one address 4 ms in which those count
-- returns {0, 0} it may be tried | {ms to wait, 1 the first who has to}
local wait, first = 0, 0
for i = 1, 2 do
  if (tonumber(redis.call('HGET', KEYS[i], 'n') or '0') or 0) >= tonumber(ARGV[2 * i - 1]) then
    wait = math.max(wait, redis.call('PTTL', KEYS[i]), 1)
    first = math.max(first, redis.call('HSETNX', KEYS[i], 't', '1'))
  end
end
if wait > 0 then return {wait, first} end
for i = 1, 2 do
  if redis.call('HINCRBY', KEYS[i], 'n', 1) == 1 then redis.call('PEXPIRE', KEYS[i], ARGV[2 * i]) end
end
return {0, 0}
