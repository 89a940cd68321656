-- enter: a caller reads, and the session is looked after (made if there is none), or turns older than the newest are wanted. Stands behind glance,
-- which has let the caller in and says what KEYS, ARGV and the answer are.
local CHUNK = 16
if not lately then
  if is_main(ARGV[6]) then redis.call('HSET', KEYS[1], 'rr', at, 'lt', now_text) else redis.call('HSET', KEYS[1], 'rr', at) end
  if ARGV[13] ~= '' then
    local there, bad = session_of(KEYS[3])
    if not bad and not is_named(there, ARGV[13]) then return {'NO_SESSION'} end
  end
  local s = session_or_new(KEYS[3], KEYS[4], KEYS[5], ARGV[7], tonumber(ARGV[5]))
  if not s then return {'UNREADABLE'} end
  s.la = now
  redis.call('HSET', KEYS[3], 'la', now_text)
  keep(s, tonumber(ARGV[4]), {KEYS[3], KEYS[4], KEYS[5]}, ARGV[6], KEYS[6], KEYS[7], KEYS[8])
  if wanted <= newest and ARGV[11] == '' then return {'OK', ahead, a[1], now, fence} end
end
local len = redis.pcall('LLEN', KEYS[4])
if type(len) ~= 'number' then return {'UNREADABLE'} end
local stop, base = len - newest - 1, 0
if ARGV[11] ~= '' then
  base = tonumber(redis.call('HGET', KEYS[3], 'base') or '0') or 0
  stop = math.min(stop, tonumber(ARGV[11]) - base - 1)
end
local start = math.max(0, stop + newest - wanted + 1)
if stop < 0 then return {'OK', ahead, a[1], now, fence, {}, base + len} end
-- the newest first, a few at a time, until the page is full: turns differ in size, and a reply must not be without a bound
local found, from, bytes = {}, stop + 1, 0
repeat
  local to = from - 1
  from = math.max(start, from - CHUNK)
  local part = redis.pcall('LRANGE', KEYS[4], from, to)
  if part.err or #part ~= to - from + 1 then return {'UNREADABLE'} end
  for i = #part, 1, -1 do found[#found + 1] = part[i]; bytes = bytes + #part[i] end
until from <= start or bytes >= tonumber(ARGV[12])
local records = {}
for i = #found, 1, -1 do records[#records + 1] = found[i] end
return {'OK', ahead, a[1], now, fence, records, base + from}
