-- look: what is known of one run.
-- KEYS 1 account 2 revoked 3 session 4 history 5 journal 6 waiting 7 runs
-- ARGV 1 token id 2 issued ms 3 requests/min 4 run
-- returns, behind OK how many ms requests are ahead:
--         {'OK', ahead, role, now, fence, 'ENDED', record, its turn or '', the session's id, its version, its key or ''}
--       | {'OK', ahead, role, now, fence, 'RUNNING', ms left (0: its holder is gone), why it is to stop or '', the session's id, {journal}}
--       | {'OK', ahead, role, now, fence, 'WAITING', place, accepted ms, input, the session's id}
--       | {'OK', ahead, role, now, fence, 'NONE'} | {'REVOKED'} | {'LIMITED', ms} | {'UNREADABLE'}
local a, refused = let_in(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3])
if not a then return refused end
local run, fence = ARGV[4], a[7]
local s, bad = session_of(KEYS[3], 'cx', 'dk')
if bad then return {'UNREADABLE'} end
local known = ended_run(KEYS[7], run)
if known then
  local turn, sid = '', string.match(known, '^[^|]*|[^|]*|([^|]*)|')
  local number = tonumber(string.match(known, '^[^|]*|[^|]*|[^|]*|(%d+)|') or '')
  if s and number and s.sid == sid and number >= s.base then turn = redis.call('LINDEX', KEYS[4], number - s.base) or '' end
  return {'OK', a.ahead, a[1], now, fence, 'ENDED', known, turn, s and s.sid or '', s and s.ver or 0, s and s.dk or ''}
end
if s and s.rid == run then
  local all = redis.call('HGETALL', KEYS[5])
  return {'OK', a.ahead, a[1], now, fence, 'RUNNING', math.max(0, s.lu - now), s.cx, s.sid, all}
end
local place, accepted, input = waits_at(KEYS[6], run)
if place then return {'OK', a.ahead, a[1], now, fence, 'WAITING', place, accepted, input, s and s.sid or ''} end
return {'OK', a.ahead, a[1], now, fence, 'NONE'}
