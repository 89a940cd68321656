-- begin: a run takes the session. One round trip = token + rates + idempotency + lease with fencing token + journal + history tail.
-- KEYS 1 account 2 revoked 3 session 4 history 5 journal 6 idempotency record (= 5: none) 7 x 8 la 9 sm
-- ARGV 1 token id 2 issued ms 3 requests/min 4 turns/min 5 idle ms 6 max ms 7 member 8 session id to use if there is none
--      9 run 10 owner (replica#nonce, new for every attempt) 11 lease ms 12 turns of the tail 13 input 14 fingerprint 15 ms to keep the record
--      16 a visit within so many ms of the last leaves index and TTLs as they are: the commit will see to them
-- returns {'OK', role, now, first, {session}, {records}, token, run, {journal}} | {'REVOKED'} | {'LIMITED', ms} | {'UNREADABLE'}
--       | {'BUSY', run, ms left} | {'IN_FLIGHT', run} | {'LOST', run} | {'KEY_REUSED'} | {'REPLAY', answer}
local a = account_of(KEYS[1], KEYS[2], ARGV[1], ARGV[2])
if not a then return {'REVOKED'} end
local wait, request_at = due(a[5], ARGV[3])
if wait > 0 then return {'LIMITED', wait} end
-- whatever becomes of it, a request was made
local function only(answer)
  redis.call('HSET', KEYS[1], 'rr', request_at)
  return answer
end

local s, bad = session_of(KEYS[3], 'own', 'cx', 'tok', 'lc')
if bad then return only({'UNREADABLE'}) end
local run, keyed = ARGV[9], KEYS[6] ~= KEYS[5]
local held = s and s.rid ~= '' and s.lu > now and s.own ~= ARGV[10]   -- own nonce: this very begin, whose answer was lost
if keyed then
  local raw = redis.pcall('GET', KEYS[6])
  if raw then
    if type(raw) ~= 'string' then return only({'UNREADABLE'}) end
    local whole, known = pcall(cmsgpack.unpack, raw)
    if not whole or type(known) ~= 'table' or type(known.r) ~= 'string' then return only({'UNREADABLE'}) end
    if known.f ~= ARGV[14] then return only({'KEY_REUSED'}) end
    if known.d then return only({'REPLAY', known.b}) end
    if held and s.rid == known.r then return only({'IN_FLIGHT', known.r}) end
    -- its journal was wiped (reset, end of the session): what it may have sent is not known any more, so it must not run again
    if not s or redis.call('HEXISTS', KEYS[5], known.r .. '|in') == 0 then return only({'LOST', known.r}) end
    run = known.r   -- the same request, its holder dead: go on under the same run
  end
end
if held then return only({'BUSY', s.rid, s.lu - now}) end
local turn_wait, turn_at = due(a[6], ARGV[4])
if turn_wait > 0 then return only({'LIMITED', turn_wait}) end

-- everything that is read is read before anything is written: a key of the wrong type must leave no half a begin
local records, first, journal = {}, 0, {}
-- also where the session was evicted alone: what is left of it is nobody's
if not s then redis.call('DEL', KEYS[3], KEYS[4], KEYS[5]) end
if s then
  first = s.base + s.len
  local n = math.min(tonumber(ARGV[12]), s.len)
  if n > 0 then
    records = redis.pcall('LRANGE', KEYS[4], -n, -1)
    if records.err or #records ~= n then return only({'UNREADABLE'}) end
    first = first - n
  end
  -- a journal without a run that left it does not exist
  if s.rid ~= '' then
    journal = redis.pcall('HGETALL', KEYS[5])
    if journal.err then return only({'UNREADABLE'}) end
  end
end
-- journal fields are '<run>|name'; a dead run's stay until a commit settles them, so a taker that dies too loses nothing
local noted = redis.pcall('HSETNX', KEYS[5], run .. '|in', ARGV[13])
if type(noted) == 'table' then return only({'UNREADABLE'}) end

-- the counter lives with the account, so it outlives resets; the nonce keeps two owners apart even if a failover rolls it back
local gen = (tonumber(a[7] or '0') or 0) + 1
local made = not s
local lately = not made and now - s.la < tonumber(ARGV[16])
redis.call('HSET', KEYS[1], 'rr', request_at, 'rt', turn_at, 'gen', string.format('%d', gen), 'lt', lately and a[8] or now)
if made then s = fresh(KEYS[3], ARGV[8], tonumber(ARGV[6])) end
local token = string.format('%d:%s', gen, ARGV[10])
s.rid, s.lu = run, now + tonumber(ARGV[11])
if lately then
  redis.call('HSET', KEYS[3], 'rid', run, 'own', ARGV[10], 'tok', token, 'lu', s.lu)
  redis.call('PEXPIRE', KEYS[5], math.max(1, math.min(tonumber(ARGV[5]), s.exp - now)))
else
  s.la = now
  redis.call('HSET', KEYS[3], 'rid', run, 'own', ARGV[10], 'tok', token, 'lu', s.lu, 'la', now)
  keep(s, tonumber(ARGV[5]), {KEYS[3], KEYS[4], KEYS[5]}, ARGV[7], KEYS[7], KEYS[8], KEYS[9])
end
if s.cx ~= '' then redis.call('HDEL', KEYS[3], 'cx') end
if keyed then redis.call('SET', KEYS[6], cmsgpack.pack({f = ARGV[14], r = run}), 'PX', ARGV[15]) end
return {'OK', a[1], now, first, told(s), records, token, run, journal}
