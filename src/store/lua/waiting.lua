-- waiting: the runs that wait for a session. Stands before every script that looks at its queue.
-- a waiting run is '<run>|<accepted ms>|<input>'
local function waiting_run(entry)
  local run, accepted, at = string.match(entry, '^([^|]*)|(%d+)|()')
  return run or '', accepted or '0', at and string.sub(entry, at) or ''
end

-- where a run waits: its place, when it was accepted, its input, the entry itself; nil if it does not wait
local function waits_at(key, wanted)
  for place, entry in ipairs(redis.call('LRANGE', key, 0, -1)) do
    local run, accepted, input = waiting_run(entry)
    if run == wanted then return place, accepted, input, entry end
  end
end

