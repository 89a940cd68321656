-- clear: a caller empties the conversation, unless a run holds the session or waits for it.
-- KEYS 1 account 2 revoked 3 session 4 history 5 journal 6 x 7 la 8 sm 9 waiting 10 events
-- ARGV 1 token id 2 issued ms 3 requests/min 4 idle ms 5 max ms 6 member 7 session id to use if there is none
--      8 9 10 session, fence, version that the client knows, or '', 0, 0
-- returns {'OK', ms that requests are ahead, role, now, {session}} | {'REVOKED'} | {'LIMITED', ms} | {'BUSY', run, ms left} | {'UNREADABLE'}
--       | {'MOVED', session, fence, version}
local a = account_of(KEYS[1], KEYS[2], ARGV[1], ARGV[2])
if not a then return {'REVOKED'} end
local wait, at, ahead = due(a[5], ARGV[3])
if wait > 0 then return {'LIMITED', wait} end
redis.call('HSET', KEYS[1], 'rr', at, 'lt', now)
if ARGV[8] ~= '' then
  local there, bad = session_of(KEYS[3])
  if bad then return {'UNREADABLE'} end
  local not_expected = moved(there, a[7], ARGV[8], ARGV[9], ARGV[10])
  if not_expected then return not_expected end
end
local s = session_or_new(KEYS[3], KEYS[4], KEYS[5], ARGV[7], tonumber(ARGV[5]))
if not s then return {'UNREADABLE'} end
if s.rid ~= '' and s.lu > now then return {'BUSY', s.rid, s.lu - now} end
local waits = redis.call('LINDEX', KEYS[9], 0)
if waits then return {'BUSY', (waiting_run(waits)), 0} end
redis.call('DEL', KEYS[4], KEYS[10])
redis.call('HDEL', KEYS[3], 'sl', 'sum')
-- numbers of turns are never given twice, so the base moves on; what a dead run left in the journal is still to be told
s.base, s.len, s.ver, s.la = s.base + s.len, 0, s.ver + 1, now
redis.call('HSET', KEYS[3], 'base', s.base, 'len', 0, 'ver', s.ver, 'la', now)
keep(s, tonumber(ARGV[4]), {KEYS[3], KEYS[5]}, ARGV[6], KEYS[6], KEYS[7], KEYS[8])
return {'OK', ahead, a[1], now, told(s, a[7])}
