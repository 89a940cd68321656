-- page: the newest sessions of one bucket behind a place in the list that are wanted, with what the index says of them, and a count of them all.
-- KEYS 1 x 2 la 3 sm 4 open
-- ARGV 1 last active at that place, or +inf 2 its member 3 how many at most 4 what their members begin with, or ''
--      5 '', or 'running': only those with a run that has not ended, or 'idle': only those without 6 how many are looked at, at most
-- returns {listed, alive, last active and member of the last one that was looked at (0, '': none was), 1 if there may be more behind it,
--          how many were looked at, member, last active, expires, summary, member, …}, newest first; of one time, the greater member first
local at, member, most, prefix, state, budget = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5], tonumber(ARGV[6])
local page = {redis.call('ZCARD', KEYS[1]), redis.call('ZCOUNT', KEYS[1], '(' .. now, '+inf'), 0, '', 0, 0}
local taken, looked = 0, 0
-- whether the page goes on behind this one
local function look_at(one, active)
  if tonumber(active) == at and not before(one, member) then return true end
  if taken == most or looked == budget then page[5] = 1 return false end
  looked = looked + 1
  page[3], page[4], page[6] = active, one, looked
  local wanted = prefix == '' or string.sub(one, 1, #prefix) == prefix
  if wanted and state == 'idle' then wanted = not redis.call('ZSCORE', KEYS[4], one) end
  if wanted then
    taken = taken + 1
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
    if active and (not at or tonumber(active) <= at) then running[#running + 1] = {one, active} end
  end
  table.sort(running, function(a, b)
    local x, y = tonumber(a[2]), tonumber(b[2])
    if x ~= y then return x > y end
    return before(b[1], a[1])
  end)
  budget = math.max(budget, #running)
  for _, one in ipairs(running) do if not look_at(one[1], one[2]) then break end end
  return page
end
-- where most that is looked at is wanted, no more is read than will be looked at
local chunk, offset, going_on = (prefix == '' and state == '') and most or math.min(budget, 256), 0, true
repeat
  local found = redis.call('ZRANGE', KEYS[2], ARGV[1], '-inf', 'BYSCORE', 'REV', 'LIMIT', offset, chunk, 'WITHSCORES')
  for i = 1, #found, 2 do
    going_on = look_at(found[i], found[i + 1])
    if not going_on then break end
  end
  offset = offset + chunk
until not going_on or #found < chunk * 2
return page
