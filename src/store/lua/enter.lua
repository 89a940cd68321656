-- enter: a caller reads. One round trip = token + rate + session (made if there is none) + part of the history.
-- KEYS 1 account 2 revoked 3 session 4 history 5 journal 6 x 7 la 8 sm
-- ARGV 1 token id 2 issued ms 3 requests/min 4 idle ms 5 max ms 6 member 7 session id to use if there is none
--      8 tail: '' nothing | 'n' the newest n | 'n<turn' n before that turn   9 a visit within so many ms of the last writes only the rate
--      10 bytes that fill a page
-- returns {'OK', role, now, first, {session}, {records}} | {'REVOKED'} | {'LIMITED', ms} | {'UNREADABLE'}
local CHUNK = 16
local a = account_of(KEYS[1], KEYS[2], ARGV[1], ARGV[2])
if not a then return {'REVOKED'} end
local wait, at = due(a[5], ARGV[3])
if wait > 0 then return {'LIMITED', wait} end
redis.call('HSET', KEYS[1], 'rr', at)
local s, bad, over = session_of(KEYS[3])
if bad then return {'UNREADABLE'} end
if over then redis.call('DEL', KEYS[3], KEYS[4], KEYS[5]) end
local made = not s
if made then s = fresh(KEYS[3], ARGV[7], tonumber(ARGV[5])) end
local records, first = {}, s.base + s.len
if ARGV[8] ~= '' and s.len > 0 then
  local n, before = string.match(ARGV[8], '^(%d+)<?(%d*)$')
  local stop = s.len - 1
  if before ~= '' then stop = math.min(stop, tonumber(before) - s.base - 1) end
  local start = math.max(0, stop - tonumber(n) + 1)
  if stop >= 0 then
    -- the newest first, a few at a time, until the page is full: turns differ in size, and a reply must not be without a bound
    local newest, from, bytes = {}, stop + 1, 0
    repeat
      local to = from - 1
      from = math.max(start, from - CHUNK)
      local part = redis.pcall('LRANGE', KEYS[4], from, to)
      if part.err or #part ~= math.max(0, to - from + 1) then return {'UNREADABLE'} end
      if from == start and #newest == 0 then records = part; break end
      for i = #part, 1, -1 do newest[#newest + 1] = part[i]; bytes = bytes + #part[i] end
    until from <= start or bytes >= tonumber(ARGV[10])
    for i = #newest, 1, -1 do records[#records + 1] = newest[i] end
    first = s.base + from
  end
end
if made or now - s.la >= tonumber(ARGV[9]) then
  s.la = now
  redis.call('HSET', KEYS[3], 'la', now)
  keep(s, tonumber(ARGV[4]), {KEYS[3], KEYS[4], KEYS[5]}, ARGV[6], KEYS[6], KEYS[7], KEYS[8])
end
return {'OK', a[1], now, first, told(s), records}
