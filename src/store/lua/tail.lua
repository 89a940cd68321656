-- tail: the newest records of a session that are wanted, as far as they fill a page. Stands after session.
local CHUNK = 16

-- of at most `most` records, all before turn `before` if it is not '': the newest that fill so many bytes, oldest first, the number of the first
-- of them, and how many bytes they have; nil where the history is not what the session says
local function tail_of(history, s, most, before, page_bytes)
  local stop = s.len - 1
  if before ~= '' then stop = math.max(-1, math.min(stop, tonumber(before) - s.base - 1)) end
  local start = math.max(0, stop - most + 1)
  -- the newest first, a few at a time, until the page is full
  local found, from, bytes = {}, stop + 1, 0
  while from > start and bytes < page_bytes do
    local to = from - 1
    from = math.max(start, from - CHUNK)
    local part = redis.pcall('LRANGE', history, from, to)
    if part.err or #part ~= to - from + 1 then return nil end
    for i = #part, 1, -1 do found[#found + 1] = part[i]; bytes = bytes + #part[i] end
  end
  local records = {}
  for i = #found, 1, -1 do records[#records + 1] = found[i] end
  return records, s.base + from, bytes
end

