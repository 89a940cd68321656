-- overview: what administrators are told of what has happened, kept a bucket at a time. Stands before every script that ends a run, after changes.
local HOUR_MS, DAY_MS, STATS_KEPT_MS = 3600000, 86400000, 259200000
local UNKNOWN_KEPT, UNKNOWN_KEPT_MS = 64, 2592000000

-- counts {what, how many, …} in the hour that it is: a hash a day, '<hour>|<what>' -> how many
local function tally(key, counts)
  local stats = string.format('%sst:%d', bucket_of(key), math.floor(now / DAY_MS))
  local hour = string.format('%d|', math.floor(now % DAY_MS / HOUR_MS))
  local new = false
  for i = 1, #counts, 2 do
    local n = tonumber(counts[i + 1])
    if n > 0 and redis.pcall('HINCRBY', stats, hour .. counts[i], counts[i + 1]) == n then new = true end
  end
  -- a field that is new may be the first of its day
  if new then redis.call('PEXPIRE', stats, STATS_KEPT_MS) end
end

-- remembers a run of which it is not known what became of a change; of too many the oldest are forgotten.
-- '<run>|<user>:<slot>|<session>|<functions, with commas between>' -> when it ended
local function unknown(key, run, member, session, functions)
  redis.call('ZADD', key, now, string.format('%s|%s|%s|%s', run, member, session, functions))
  redis.call('ZREMRANGEBYRANK', key, 0, -UNKNOWN_KEPT - 1)
  redis.call('PEXPIRE', key, UNKNOWN_KEPT_MS)
end

