-- take: somebody goes on with a run whose holder is gone, under the same run and a new token; or begins the one that has waited longest.
-- Any replica may, for no caller: what was accepted comes to its end without its client.
-- KEYS 1 account 2 session 3 history 4 journal 5 waiting 6 open 7 x 8 la 9 sm
-- ARGV 1 owner (replica#nonce, new for every attempt) 2 lease ms 3 idle ms 4 member 5 turns of the tail 6 the session's key if it has none
--      yet, or ''
-- returns {'OK', role, now, first, {session}, {records}, token, run, the session's key or '', the last turn of its summary or '', the summary
--          or '', {journal}, how often it was taken, why it is to stop or '', tokens void before}
--       | {'NOTHING'} nobody waits and nobody died | {'HELD', run, ms left} | {'UNREADABLE'}
local s, bad = session_of(KEYS[2], 'own', 'cx', 'dk', 'sl', 'sum')
if bad then
  redis.call('ZREM', KEYS[6], ARGV[4])   -- nobody can; its user resets it
  return {'UNREADABLE'}
end
if not s then
  redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5])
  redis.call('ZREM', KEYS[6], ARGV[4])
  return {'NOTHING'}
end
if s.rid ~= '' and s.lu > now and s.own ~= ARGV[1] then
  redis.call('ZADD', KEYS[6], s.lu, ARGV[4])
  return {'HELD', s.rid, s.lu - now}
end
local n, records, first = math.min(tonumber(ARGV[5]), s.len), {}, s.base + s.len
if n > 0 then
  records = redis.pcall('LRANGE', KEYS[3], -n, -1)
  if records.err or #records ~= n then redis.call('ZREM', KEYS[6], ARGV[4]) return {'UNREADABLE'} end
  first = first - n
end
local tries, begins = 0, s.rid == ''
if begins then
  local entry = redis.call('LPOP', KEYS[5])
  if not entry then
    redis.call('ZREM', KEYS[6], ARGV[4])
    return {'NOTHING'}
  end
  local run, _, input = waiting_run(entry)
  s.rid, s.cx = run, ''
  redis.call('HSETNX', KEYS[4], run .. '|in', input)
  redis.call('HDEL', KEYS[2], 'cx', 'try')
else
  tries = redis.call('HINCRBY', KEYS[2], 'try', 1)
end
local journal = redis.pcall('HGETALL', KEYS[4])
if journal.err then redis.call('ZREM', KEYS[6], ARGV[4]) return {'UNREADABLE'} end
local a = redis.call('HMGET', KEYS[1], 'role', 'dis', 'tv')
-- a user who is gone, or may not come in, may have nothing done either
local stop = s.cx
if not a[1] or a[2] == '1' then stop = 'revoked' end
local dk = s.dk
if dk == '' and ARGV[6] ~= '' then dk = ARGV[6]; redis.call('HSET', KEYS[2], 'dk', dk) end
local gen = redis.call('HINCRBY', KEYS[1], 'gen', 1)
local token = string.format('%d:%s', gen, ARGV[1])
s.lu, s.la = now + tonumber(ARGV[2]), now
redis.call('HSET', KEYS[2], 'rid', s.rid, 'own', ARGV[1], 'tok', token, 'lu', s.lu, 'la', now)
keep(s, tonumber(ARGV[3]), {KEYS[2], KEYS[3], KEYS[4], KEYS[5]}, ARGV[4], KEYS[7], KEYS[8], KEYS[9])
redis.call('ZADD', KEYS[6], s.lu, ARGV[4])
changed(KEYS[2], begins and 'turn_begun' or 'turn_taken', s.sid, s.rid, ARGV[1])
return {'OK', a[1] or 'user', now, first, told(s, gen), records, token, s.rid, dk, s.sl, s.sum, journal, tries, stop, a[3] or '0'}
