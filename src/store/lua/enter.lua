-- enter: a caller reads. One round trip = token + rate + session (made if there is none) + part of the history.
-- It stands first in a transaction; the session's fields and its newest records are read by plain commands behind it, because Redis
-- reads several times faster for a client than for a script. What plain commands cannot do is here: what must be decided or written,
-- and records beyond the newest, which have to be counted in bytes while they are read.
-- KEYS 1 account 2 revoked 3 session 4 history 5 journal 6 x 7 la 8 sm
-- ARGV 1 token id 2 issued ms 3 requests/min 4 idle ms 5 max ms 6 member 7 session id to use if there is none
--      8 a visit within so many ms of the last writes only the rate (0: look after the session in any case)
--      9 records that the command behind this one reads 10 records wanted in all 11 only those before this turn, or ''
--      12 bytes that fill a page
-- returns {'OK', ms that requests are ahead, role, now, fence, {records before those that the command behind this one reads}, the first one's number if 11 says which}
--       | {'REVOKED'} | {'LIMITED', ms} | {'UNREADABLE'}
local CHUNK = 16
local a = account_of(KEYS[1], KEYS[2], ARGV[1], ARGV[2])
if not a then return {'REVOKED'} end
local wait, at, ahead = due(a[5], ARGV[3])
if wait > 0 then return {'LIMITED', wait} end
if now - (tonumber(a[8] or '0') or 0) >= tonumber(ARGV[8]) then
  redis.call('HSET', KEYS[1], 'rr', at, 'lt', now)
  local s = session_or_new(KEYS[3], KEYS[4], KEYS[5], ARGV[7], tonumber(ARGV[5]))
  if not s then return {'UNREADABLE'} end
  s.la = now
  redis.call('HSET', KEYS[3], 'la', now)
  keep(s, tonumber(ARGV[4]), {KEYS[3], KEYS[4], KEYS[5]}, ARGV[6], KEYS[6], KEYS[7], KEYS[8])
else
  redis.call('HSET', KEYS[1], 'rr', at)
end
local newest, wanted = tonumber(ARGV[9]), tonumber(ARGV[10])
local fence = a[7]
if wanted <= newest and ARGV[11] == '' then return {'OK', ahead, a[1], now, fence} end
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
