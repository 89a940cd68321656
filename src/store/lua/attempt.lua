-- attempt: somebody tries a password. It counts as a failure until it turns out not to be one, so that many at once are counted too.
-- KEYS where it counts: 1 failures for the account 2 those for it from one address; or 1 those from the address for whatever account
-- ARGV for each of them: the most that there may be, ms in which they count
-- returns {0, 0} it may be tried | {ms to wait, 1 the first who has to}
local wait, first = 0, 0
for i, key in ipairs(KEYS) do
  if (tonumber(redis.call('HGET', key, 'n') or '0') or 0) >= tonumber(ARGV[2 * i - 1]) then
    wait = math.max(wait, redis.call('PTTL', key), 1)
    first = math.max(first, redis.call('HSETNX', key, 't', '1'))
  end
end
if wait > 0 then return {wait, first} end
for i, key in ipairs(KEYS) do
  if redis.call('HINCRBY', key, 'n', 1) == 1 then redis.call('PEXPIRE', key, ARGV[2 * i]) end
end
return {0, 0}
