-- reserve: tokens of the day are set aside, if there are enough.
-- KEYS 1 counter 2 its reservations   ARGV 1 id 2 tokens 3 tokens of a day 4 ms after which it lapses
-- returns {'GRANTED'} | {'EXHAUSTED', when the day ends, ms until then}
local used, held = counted(KEYS[1], KEYS[2])
local member, tokens = ARGV[1] .. '|' .. ARGV[2], tonumber(ARGV[2])
if redis.call('ZSCORE', KEYS[2], member) then
  keep_counted(KEYS[1], KEYS[2], used, held)
  return {'GRANTED'}
end
if used + held + tokens > tonumber(ARGV[3]) then
  keep_counted(KEYS[1], KEYS[2], used, held)
  return {'EXHAUSTED', (today + 1) * DAY, (today + 1) * DAY - now}
end
redis.call('ZADD', KEYS[2], now + tonumber(ARGV[4]), member)
keep_counted(KEYS[1], KEYS[2], used, held + tokens)
return {'GRANTED'}
