-- commit: a run ends. All or nothing: whole turns, counters, index, the answer to repeat, the journal settled, the lease given back.
-- KEYS 1 session 2 history 3 journal 4 idempotency record (= 3: none) 5 x 6 la 7 sm 8 waiting 9 open 10 runs 11 unknown outcomes
-- ARGV 1 run 2 token 3 idle ms 4 turns kept 5 member 6 fingerprint 7 ms to keep the record 8 answer 9 ending 10 accepted ms 11 detail
--      12 a title for the conversation, or '' 13 calls that were sent 14 15 tokens that a model was given and gave
--      16 functions of which it is not known what became of their calls, with commas between 17 those of the calls that may change something
--      18 1 if some of the tokens are estimated, else 0 19.. records, one a turn, that of the run last
-- returns {'OK', turns, version, how many wait} | {'STALE'}
local RECORDS, COUNT_MAX = 19, 9007199254740991
local s, bad = session_of(KEYS[1], 'cx', 'tok', 'lc', 'try', 'tot')
if bad then return {'UNREADABLE'} end
if not s then return {'STALE'} end
if s.rid ~= ARGV[1] or s.tok ~= ARGV[2] then
  if s.lc ~= ARGV[1] .. '|' .. ARGV[2] then return {'STALE'} end
  -- the answer of this very commit was lost and it is asked for again. Something is written, so that WAIT behind it waits for what was
  -- written then, over another connection perhaps
  redis.call('HSET', KEYS[1], 'lc', s.lc)
  return {'OK', s.len, s.ver, redis.call('LLEN', KEYS[8])}
end
-- what the session has come to since it began (domain/totals.rs). It is written with the end of the lease, and whoever commits again has none:
-- so each run counts once
local turns, calls, changing, prompt, completion, estimated = string.match(s.tot, '^(%d+)|(%d+)|(%d+)|(%d+)|(%d+)|([01])$')
local totals = string.format('%d|%d|%d|%d|%d|%s', (turns or 0) + math.max(0, #ARGV - RECORDS + 1), (calls or 0) + ARGV[13], (changing or 0) + ARGV[17],
  math.min((prompt or 0) + ARGV[14], COUNT_MAX), math.min((completion or 0) + ARGV[15], COUNT_MAX), ARGV[18] == '1' and '1' or estimated or '0')
local turn = '-'
if #ARGV >= RECORDS then
  -- a few turns at most: far from what unpack takes. The only write that can be refused goes first
  local pushed = redis.pcall('RPUSH', KEYS[2], unpack(ARGV, RECORDS))
  if type(pushed) == 'table' then
    -- only a key of another type is the record's fault: a replica, or a Redis that is full, says so itself
    if string.sub(pushed.err, 1, 9) == 'WRONGTYPE' then return {'UNREADABLE'} end
    return pushed
  end
  s.len, s.ver = s.len + #ARGV - RECORDS + 1, s.ver + 1
  turn = string.format('%d', s.base + s.len - 1)
  local extra = s.len - tonumber(ARGV[4])
  if extra > 0 then
    redis.call('LTRIM', KEYS[2], extra, -1)
    s.base, s.len = s.base + extra, s.len - extra
  end
end
s.la = now
redis.call('HSET', KEYS[1], 'len', s.len, 'base', s.base, 'ver', s.ver, 'la', now_text,
  'lc', ARGV[1] .. '|' .. ARGV[2], 'rid', '', 'own', '', 'tok', '', 'tot', totals)
if ARGV[12] ~= '' then redis.call('HSET', KEYS[1], 'ti', ARGV[12]) end
if s.cx ~= '' or s.try ~= '' then redis.call('HDEL', KEYS[1], 'cx', 'try') end
redis.call('DEL', KEYS[3])
if KEYS[4] ~= KEYS[3] then
  if ARGV[8] ~= '' then redis.call('SET', KEYS[4], cmsgpack.pack({f = ARGV[6], r = ARGV[1], d = true, b = ARGV[8]}), 'PX', ARGV[7])
  else redis.call('DEL', KEYS[4]) end
end
local waiting, kept = redis.call('LLEN', KEYS[8]), {KEYS[1], KEYS[2]}
if waiting > 0 then kept[3] = KEYS[8] end
keep(s, tonumber(ARGV[3]), kept, ARGV[5], KEYS[5], KEYS[6], KEYS[7])
ended(KEYS[10], ARGV[1], ARGV[9], s.sid, turn, ARGV[10], ARGV[11], tonumber(string.match(ARGV[2], '^%d+')),
  {'calls', ARGV[13], 'prompt_tokens', ARGV[14], 'completion_tokens', ARGV[15]})
if ARGV[9] == 'unknown_outcome' then unknown(KEYS[11], ARGV[1], ARGV[5], s.sid, ARGV[16]) end
if waiting > 0 then redis.call('ZADD', KEYS[9], now_text, ARGV[5]) else redis.call('ZREM', KEYS[9], ARGV[5]) end
return {'OK', s.len, s.ver, waiting}
