-- settle: what was used of tokens that were set aside is counted, on the day on which that is known; the rest is free again.
-- KEYS 1 counter 2 its reservations   ARGV 1 id 2 tokens that were set aside 3 tokens used
-- returns 1 counted | 0 there is no such reservation: it was settled before, or lapsed and was cleared away
if redis.call('ZREM', KEYS[2], ARGV[1] .. '|' .. ARGV[2]) == 0 then return 0 end
local used, held = counted(KEYS[1], KEYS[2])
keep_counted(KEYS[1], KEYS[2], used + tonumber(ARGV[3]), held > 0 and math.max(0, held - tonumber(ARGV[2])) or 0)
return 1
