-- glance: a caller reads who was here a moment ago; anybody else, and whoever wants old turns, goes on to enter. Stands before it, after gate.
-- One round trip = token + rate + session (made if there is none) + part of the history.
-- It stands first in a transaction; the session's fields and its newest records are read by plain commands behind it, because Redis
-- reads several times faster for a client than for a script. What plain commands cannot do is here: what must be decided or written,
-- and records beyond the newest, which have to be counted in bytes while they are read.
-- KEYS 1 account 2 revoked 3 session 4 history 5 journal 6 x 7 la 8 sm
-- ARGV 1 token id 2 issued ms 3 requests/min 4 idle ms 5 max ms 6 member 7 session id to use if there is none
--      8 a visit within so many ms of the last writes only the rate (0: look after the session in any case)
--      9 records that the command behind this one reads 10 records wanted in all 11 only those before this turn, or ''
--      12 bytes that fill a page 13 the id of the session that the caller names, or ''
-- returns {'OK', ms that requests are ahead, role, now, fence, {records before those that the command behind this one reads}, the first one's number if 11 says which}
--       | {'REVOKED'} | {'LIMITED', ms} | {'UNREADABLE'} | {'NO_SESSION'}
local a = account_of(KEYS[1], KEYS[2], ARGV[1], ARGV[2])
if not a then return {'REVOKED'} end
local wait, at, ahead = due(a[5], ARGV[3])
if wait > 0 then return {'LIMITED', wait} end
local fence, newest, wanted = a[7], tonumber(ARGV[9]), tonumber(ARGV[10])
-- the time of a visit stands in the account, for the session that every user has only
local lately = string.sub(ARGV[6], -5) == ':main' and now - (tonumber(a[8] or '0') or 0) < tonumber(ARGV[8])
if lately then
  redis.call('HSET', KEYS[1], 'rr', at)
  if wanted <= newest and ARGV[11] == '' then return {'OK', ahead, a[1], now, fence} end
end

