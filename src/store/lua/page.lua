-- page: the newest sessions of one bucket behind a place in the list that are wanted, with what the index says of them, and a count of them all.
-- KEYS 1 x 2 la 3 sm 4 open
-- ARGV 1 last active at that place, or +inf 2 its member 3 how many at most 4 what their members begin with, or ''
--      5 '', or 'running': only those with a run that has not ended, or 'idle': only those without 6 how many are looked at, at most
-- returns {listed, alive, last active and member of the last one that was looked at (0, '': none was), 1 if there may be more behind it,
--          how many were looked at, member, last active, expires, summary, member, …}, newest first; of one time, the greater member first
local at, member, most, prefix, state, budget = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5], tonumber(ARGV[6])
local page = {redis.call('ZCARD', KEYS[1]), redis.call('ZCOUNT', KEYS[1], '(' .. now, '+inf'), 0, '', 0, 0}
local plain = prefix == '' and state == ''
local taken, looked, last = 0, 0, nil
-- whether the page goes on behind this one; when it was last active is asked for only where it is wanted
local function look_at(one, active)
  if taken == most or looked == budget then page[5] = 1 return false end
  looked, last = looked + 1, one
  local wanted = prefix == '' or string.sub(one, 1, #prefix) == prefix
  if wanted and state == 'idle' then wanted = not redis.call('ZSCORE', KEYS[4], one) end
  if wanted then
    taken = taken + 1
    active = active or redis.call('ZSCORE', KEYS[2], one)
    for _, part in ipairs({one, active, redis.call('ZSCORE', KEYS[1], one) or '0', redis.call('HGET', KEYS[3], one) or ''}) do
      page[#page + 1] = part
    end
  end
  return true
end
if state == 'running' then
  -- there are never more of them than runs that the replicas can hold, so all of them are read
  local running = {}
  for _, one in ipairs(redis.call('ZRANGE', KEYS[4], 0, -1)) do
    local active = redis.call('ZSCORE', KEYS[2], one)
    local time = tonumber(active or '')
    if time and (time < at or time == at and before(one, member)) then running[#running + 1] = {one, active} end
  end
  table.sort(running, function(a, b)
    local x, y = tonumber(a[2]), tonumber(b[2])
    if x ~= y then return x > y end
    return before(b[1], a[1])
  end)
  budget = math.max(budget, #running)
  for _, one in ipairs(running) do if not look_at(one[1], one[2]) then break end end
else
  -- those of the place's own time come first; of them only those that stand behind it are looked at
  local same = ARGV[1] == '+inf' and 0 or redis.call('ZCOUNT', KEYS[2], ARGV[1], ARGV[1])
  -- where all that is looked at is wanted, no more is read than will be looked at
  local chunk, stride, offset, going_on = plain and most or math.min(budget, 256), plain and 2 or 1, 0, true
  local with = plain and {'WITHSCORES'} or {}
  repeat
    local found = redis.call('ZRANGE', KEYS[2], ARGV[1], '-inf', 'BYSCORE', 'REV', 'LIMIT', offset, chunk, unpack(with))
    for i = 1, #found, stride do
      if offset + (i - 1) / stride + 1 > same or before(found[i], member) then
        going_on = look_at(found[i], plain and found[i + 1] or nil)
        if not going_on then break end
      end
    end
    offset = offset + chunk
  until not going_on or #found < chunk * stride
end
page[6] = looked
if last then page[3], page[4] = redis.call('ZSCORE', KEYS[2], last), last end
return page
