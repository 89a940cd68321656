-- cancel: a caller wants a run to stop. Whoever runs it finds out at its next step; one that waits is taken out of the queue.
-- KEYS 1 account 2 revoked 3 session 4 waiting 5 runs
-- ARGV 1 token id 2 issued ms 3 requests/min 4 run
-- returns, behind OK how many ms requests are ahead:
--         {'OK', ahead, role, 'STOPPING', ms left of its lease} | {'OK', ahead, role, 'CANCELLED'} | {'OK', ahead, role, 'ENDED', record} | {'OK', ahead, role, 'NONE'}
--       | {'REVOKED'} | {'LIMITED', ms} | {'UNREADABLE'}
local a, refused = let_in(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3])
if not a then return refused end
local s, bad = session_of(KEYS[3], 'cx')
if bad then return {'UNREADABLE'} end
local run = ARGV[4]
local known = ended_run(KEYS[5], run)
if known then return {'OK', a.ahead, a[1], 'ENDED', known} end
if s and s.rid == run then
  if s.cx == '' then redis.call('HSET', KEYS[3], 'cx', 'cancelled') end
  return {'OK', a.ahead, a[1], 'STOPPING', math.max(0, s.lu - now)}
end
local _, accepted, _, entry = waits_at(KEYS[4], run)
if not entry then return {'OK', a.ahead, a[1], 'NONE'} end
redis.call('LREM', KEYS[4], 1, entry)
ended(KEYS[5], run, 'cancelled', s and s.sid or '', '-', accepted, '')
return {'OK', a.ahead, a[1], 'CANCELLED'}
