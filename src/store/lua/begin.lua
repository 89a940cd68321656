-- begin: a run takes the session, or waits for it. One round trip = token + rates + idempotency + lease with fencing token + journal +
-- history tail. It never takes a session from a run that died: whoever is told ORPHANED has that run ended first (take).
-- KEYS 1 account 2 revoked 3 session 4 history 5 journal 6 idempotency record (= 5: none) 7 x 8 la 9 sm 10 waiting 11 open 12 slots
-- ARGV 1 token id 2 issued ms 3 requests/min 4 turns/min 5 idle ms 6 max ms 7 member 8 session id to use if there is none
--      9 run 10 owner (replica#nonce, new for every attempt) 11 lease ms 12 turns of the tail 13 input 14 fingerprint 15 ms to keep the record
--      16 a visit within so many ms of the last leaves index and TTLs as they are: the commit will see to them
--      17 on busy: reject, enqueue, interrupt 18 how many may wait 19 20 21 session, fence, version that the client knows, or '', 0, 0
--      22 the session's key if it has none yet, or '' 23 the id of the session that the caller names, or ''
--      24 in how many of the user's sessions runs may be at once, 0: in as many as there are
-- returns, behind a status that is none of the three how many ms requests are ahead, and behind OK and QUEUED how many turns are:
--         {'OK', role, now, first, {session}, {records}, token, run, the session's key or '', the last turn of its summary or '', the summary
--          or ''} | {'REVOKED'} | {'LIMITED', ms, 'turns' if it is for them} | {'UNREADABLE'}
--       | {'BUSY', run, ms left} | {'ORPHANED', run} | {'QUEUED', place, is the session held} | {'FULL', run}
--       | {'IN_FLIGHT', run} | {'LOST', run} | {'KEY_REUSED'} | {'REPLAY', answer} | {'MOVED', session, fence, version}
--       | {'NO_SESSION'} the caller names one that is not there | {'MANY_RUN'} in as many sessions as may be
local DATED_WITHIN = 10
local a = account_of(KEYS[1], KEYS[2], ARGV[1], ARGV[2])
if not a then return {'REVOKED'} end
local wait, request_at, requests_ahead = due(a[5], ARGV[3])
if wait > 0 then return {'LIMITED', wait} end
-- whatever becomes of it, a request was made
local function counted()
  redis.call('HSET', KEYS[1], 'rr', request_at)
end
local function only(status, ...)
  counted()
  return {status, requests_ahead, ...}
end
local function unreadable()
  counted()
  return {'UNREADABLE'}
end

local s, bad = session_of(KEYS[3], 'own', 'cx', 'dk', 'sl', 'sum')
if bad then return unreadable() end
local run, keyed = ARGV[9], KEYS[6] ~= KEYS[5]
local own = s and s.rid == run and s.own == ARGV[10]   -- own nonce: this very begin, whose answer was lost
local others = s and s.rid ~= '' and not own
local count = redis.pcall('LLEN', KEYS[10])
if type(count) ~= 'number' then return unreadable() end
-- whoever waited for a session that ended or was evicted waits for nothing: their runs are nobody's, like the rest of it
if not s then count = 0 end
local function place_of(wanted) return count > 0 and waits_at(KEYS[10], wanted) or nil end
local function holder() return others and s.rid or (waiting_run(redis.call('LINDEX', KEYS[10], 0))) end
if keyed then
  local raw = redis.pcall('GET', KEYS[6])
  -- what was written before the account was made is of somebody who had this name before. When it was written is told by how long it lasts,
  -- to a few ms: TIME, which dates the account, and the clock of TTLs are read one after the other. In doubt it is the user's own, and not done again
  local lasts = type(raw) == 'string' and redis.call('PTTL', KEYS[6]) or -1
  if lasts >= 0 and now + lasts - tonumber(ARGV[15]) + DATED_WITHIN < (tonumber(redis.call('HGET', KEYS[1], 'ca') or '0') or 0) then raw = nil end
  if raw then
    if type(raw) ~= 'string' then return unreadable() end
    local whole, known = pcall(cmsgpack.unpack, raw)
    if not whole or type(known) ~= 'table' or type(known.r) ~= 'string' then return unreadable() end
    if known.f ~= ARGV[14] then return only('KEY_REUSED') end
    if known.d then return only('REPLAY', known.b) end
    if not own then
      if others and s.rid == known.r then return only(s.lu > now and 'IN_FLIGHT' or 'ORPHANED', known.r) end
      if place_of(known.r) then return only('IN_FLIGHT', known.r) end
      -- its journal was wiped (reset, end of the session): what it may have sent is not known any more, so it must not run again
      return only('LOST', known.r)
    end
  end
end
if not own and not is_named(s, ARGV[23]) then return only('NO_SESSION') end
local not_expected = not own and moved(s, a[7], ARGV[19], ARGV[20], ARGV[21])
if not_expected then return only(unpack(not_expected)) end
local held = others and s.lu > now
if others and not held then return only('ORPHANED', s.rid) end
-- a begin whose answer was lost holds the session already: whoever has come to wait since waits behind it
local behind = not own and (held or count > 0)
if behind and ARGV[17] == 'reject' then return only('BUSY', holder(), held and s.lu - now or 0) end
local function remember()
  if keyed then redis.call('SET', KEYS[6], cmsgpack.pack({f = ARGV[14], r = run}), 'PX', ARGV[15]) end
end
-- Whether runs hold as many of the user's other sessions as may be at once. One that waits for a session that nobody holds begins within a moment,
-- so it counts. A run whose lease has lapsed does not: whoever goes on with it takes it. Nothing is counted where there cannot be so many: few are
-- open in the bucket, or the user has few sessions beside the main one. What it costs grows with the user's own sessions, not with anybody else's.
local most = tonumber(ARGV[24])
if not own and not behind and most > 0 and redis.call('ZCARD', KEYS[11]) >= most then
  local slots = redis.pcall('SMEMBERS', KEYS[12])
  -- one is this session, or it is the main one: as many are left
  if not slots.err and #slots >= most then
    slots[#slots + 1] = 'main'
    local bucket, whose, running = bucket_of(KEYS[11]), string.match(ARGV[7], '^[^:]*:'), 0
    for _, slot in ipairs(slots) do
      local member = whose .. slot
      if member ~= ARGV[7] then
        -- one that cannot be read runs nothing
        local other = redis.pcall('HMGET', bucket .. 's:' .. member, 'sid', 'rid', 'lu')
        if not other.err and other[1] then
          local free = (other[2] or '') == ''
          local runs = free and redis.call('EXISTS', bucket .. 'q:' .. member) == 1 or not free and (tonumber(other[3] or '0') or 0) > now
          if runs then running = running + 1 end
        end
      end
    end
    if running >= most then return only('MANY_RUN') end
  end
end
local turn_wait, turn_at, turns_ahead = due(a[6], ARGV[4])
if turn_wait > 0 then
  counted()
  return {'LIMITED', turn_wait, 'turns'}
end

if behind then
  local place = place_of(run)   -- if it has one, the answer to this very begin was lost
  if not place then
    if count >= tonumber(ARGV[18]) then return only('FULL', holder()) end
    local first = ARGV[17] == 'interrupt'
    redis.call(first and 'LPUSH' or 'RPUSH', KEYS[10], string.format('%s|%d|', run, now) .. ARGV[13])
    place = first and 1 or count + 1
    remember()
  end
  if held and ARGV[17] == 'interrupt' and s.cx == '' then redis.call('HSET', KEYS[3], 'cx', 'interrupted') end
  redis.call('HSET', KEYS[1], 'rr', request_at, 'rt', turn_at)
  redis.call('PEXPIRE', KEYS[10], math.max(1, math.min(tonumber(ARGV[5]), s and s.exp - now or tonumber(ARGV[6]))))
  redis.call('ZADD', KEYS[11], held and s.lu or now, ARGV[7])
  return {'QUEUED', requests_ahead, turns_ahead, place, held and 1 or 0}
end

-- everything that is read is read before anything is written: a key of the wrong type must leave no half a begin
local records, first = {}, 0
-- also where the session was evicted alone: what is left of it is nobody's
if not s then redis.call('DEL', KEYS[3], KEYS[4], KEYS[5], KEYS[10]) end
if s then
  first = s.base + s.len
  local n = math.min(tonumber(ARGV[12]), s.len)
  if n > 0 then
    records = redis.pcall('LRANGE', KEYS[4], -n, -1)
    if records.err or #records ~= n then return unreadable() end
    first = first - n
  end
end
-- journal fields are '<run>|name'; a dead run's stay until a commit settles them, so a taker that dies too loses nothing
local noted = redis.pcall('HSETNX', KEYS[5], run .. '|in', ARGV[13])
if type(noted) == 'table' then return unreadable() end

-- the counter lives with the account, so it outlives resets; the nonce keeps two owners apart even if a failover rolls it back
local gen = a[7] + 1
local made = not s
local lately = not made and now - s.la < tonumber(ARGV[16])
local gen_text = string.format('%d', gen)
if not lately and is_main(ARGV[7]) then redis.call('HSET', KEYS[1], 'rr', request_at, 'rt', turn_at, 'gen', gen_text, 'lt', now_text)
else redis.call('HSET', KEYS[1], 'rr', request_at, 'rt', turn_at, 'gen', gen_text) end
if made then s = fresh(KEYS[3], ARGV[8], tonumber(ARGV[6])) end
local dk = s.dk
if dk == '' and ARGV[22] ~= '' then dk = ARGV[22]; redis.call('HSET', KEYS[3], 'dk', dk) end
local token = gen_text .. ':' .. ARGV[10]
s.rid, s.lu = run, now + tonumber(ARGV[11])
local lu_text = string.format('%d', s.lu)
if lately then
  redis.call('HSET', KEYS[3], 'rid', run, 'own', ARGV[10], 'tok', token, 'lu', lu_text)
  redis.call('PEXPIRE', KEYS[5], string.format('%d', math.max(1, math.min(tonumber(ARGV[5]), s.exp - now))))
else
  s.la = now
  redis.call('HSET', KEYS[3], 'rid', run, 'own', ARGV[10], 'tok', token, 'lu', lu_text, 'la', now_text)
  keep(s, tonumber(ARGV[5]), {KEYS[3], KEYS[4], KEYS[5]}, ARGV[7], KEYS[7], KEYS[8], KEYS[9])
end
if s.cx ~= '' and not own then redis.call('HDEL', KEYS[3], 'cx') end
-- an API key that is taken away takes its run along; with the run, because replicas of an older release leave it as it is
if string.sub(ARGV[1], 1, 2) == 'k:' then redis.call('HSET', KEYS[3], 'by', run .. '|' .. ARGV[1]) end
redis.call('ZADD', KEYS[11], lu_text, ARGV[7])
if not own then changed(KEYS[3], 'turn_begun', s.sid, run, ARGV[10]) end
remember()
return {'OK', requests_ahead, turns_ahead, a[1], now, first, told(s, gen), records, token, run, dk, s.sl, s.sum}
