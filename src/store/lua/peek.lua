-- peek: somebody else reads what was said in a session. Nothing of it changes, not even when it ends.
-- KEYS 1 account 2 session 3 history
-- ARGV 1 records wanted 2 only those before this turn, or '' 3 bytes that fill a page 4 the id of the session that is named, or ''
-- returns {'OK', {session}, the session's key or '', the first record's number, {records}, what it has come to or ''} | {'NONE'} | {'UNREADABLE'}
local CHUNK = 16
local s, bad = session_of(KEYS[2], 'dk', 'tot')
if bad then return {'UNREADABLE'} end
if not s or not is_named(s, ARGV[4]) then return {'NONE'} end
local stop = s.len - 1
if ARGV[2] ~= '' then stop = math.max(-1, math.min(stop, tonumber(ARGV[2]) - s.base - 1)) end
local start = math.max(0, stop - tonumber(ARGV[1]) + 1)
-- the newest first, a few at a time, until the page is full
local found, from, bytes = {}, stop + 1, 0
while from > start and bytes < tonumber(ARGV[3]) do
  local to = from - 1
  from = math.max(start, from - CHUNK)
  local part = redis.pcall('LRANGE', KEYS[3], from, to)
  if part.err or #part ~= to - from + 1 then return {'UNREADABLE'} end
  for i = #part, 1, -1 do found[#found + 1] = part[i]; bytes = bytes + #part[i] end
end
local records = {}
for i = #found, 1, -1 do records[#records + 1] = found[i] end
local gen = tonumber(redis.call('HGET', KEYS[1], 'gen') or '0') or 0
return {'OK', told(s, gen), s.dk, s.base + from, records, s.tot}
