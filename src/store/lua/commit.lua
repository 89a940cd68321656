-- commit: a run ends. All or nothing: whole turns, counters, index, the answer to repeat, the journal settled, the lease given back.
-- KEYS 1 session 2 history 3 journal 4 idempotency record (= 3: none) 5 x 6 la 7 sm
-- ARGV 1 run 2 token 3 idle ms 4 turns kept 5 member 6 fingerprint 7 ms to keep the record 8 answer 9.. records, one a turn
-- returns {'OK', turns, version} | {'STALE'}
local s, bad = session_of(KEYS[1], 'own', 'cx', 'tok', 'lc')
if bad then return {'UNREADABLE'} end
if not s then return {'STALE'} end
if s.rid ~= ARGV[1] or s.tok ~= ARGV[2] then
  -- the answer of this very commit was lost and it is asked for again
  if s.lc == ARGV[1] .. '|' .. ARGV[2] then return {'OK', s.len, s.ver} end
  return {'STALE'}
end
if #ARGV >= 9 then
  -- a few turns at most: far from what unpack takes. The only write that can be refused goes first
  local pushed = redis.pcall('RPUSH', KEYS[2], unpack(ARGV, 9))
  if type(pushed) == 'table' then return {'UNREADABLE'} end
  s.len, s.ver = s.len + #ARGV - 8, s.ver + 1
  local extra = s.len - tonumber(ARGV[4])
  if extra > 0 then
    redis.call('LTRIM', KEYS[2], extra, -1)
    s.base, s.len = s.base + extra, s.len - extra
  end
end
s.la = now
redis.call('HSET', KEYS[1], 'len', s.len, 'base', s.base, 'ver', s.ver, 'la', now, 'lc', ARGV[1] .. '|' .. ARGV[2], 'rid', '', 'own', '', 'tok', '')
if s.cx ~= '' then redis.call('HDEL', KEYS[1], 'cx') end
redis.call('DEL', KEYS[3])
if KEYS[4] ~= KEYS[3] then
  if ARGV[8] ~= '' then redis.call('SET', KEYS[4], cmsgpack.pack({f = ARGV[6], r = ARGV[1], d = true, b = ARGV[8]}), 'PX', ARGV[7])
  else redis.call('DEL', KEYS[4]) end
end
keep(s, tonumber(ARGV[3]), {KEYS[1], KEYS[2]}, ARGV[5], KEYS[5], KEYS[6], KEYS[7])
return {'OK', s.len, s.ver}
