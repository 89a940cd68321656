-- budget: tokens of a day (UTC). Stands before reserve and settle, after clock.
-- A counter is a hash: the 'day' that it counts (days since 1970), what was 'used' on it, what is 'held' by reservations; these are a sorted
-- set, '<id>|<tokens>' by when each lapses.
local DAY = 86400000
local today = math.floor(now / DAY)

-- what is used and held, without what has lapsed
local function counted(key, reservations)
  local c = redis.call('HMGET', key, 'day', 'used', 'held')
  local used = tonumber(c[1] or '') == today and tonumber(c[2] or '') or 0
  local held = tonumber(c[3] or '') or 0
  repeat
    local dead = redis.call('ZRANGE', reservations, '-inf', now, 'BYSCORE', 'LIMIT', 0, 100)
    for _, member in ipairs(dead) do held = held - (tonumber(string.match(member, '|(%d+)$')) or 0) end
    if #dead > 0 then redis.call('ZREM', reservations, unpack(dead)) end
  until #dead < 100
  -- a counter and its reservations may have been evicted apart
  if redis.call('EXISTS', reservations) == 0 then held = 0 end
  return used, math.max(0, held)
end

local function keep_counted(key, reservations, used, held)
  redis.call('HSET', key, 'day', today, 'used', string.format('%.0f', used), 'held', string.format('%.0f', held))
  redis.call('PEXPIRE', key, 2 * DAY); redis.call('PEXPIRE', reservations, 2 * DAY)
end

