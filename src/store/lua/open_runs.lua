-- open_runs: runs of one bucket that have not ended and do not wait, behind a place; those first that were begun, or taken, longest ago.
-- KEYS 1 open   ARGV 1 due at that place, or -inf 2 its member 3 how many at most 4 what the keys of the bucket's sessions begin with
-- returns {now, member, due, session id, run, owner, ms left of its lease (0: its holder is gone), why it is to stop or '', number of its turn, …}
local at, member, most = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local page, offset, taken = {string.format('%d', now)}, 0, 0
repeat
  local found = redis.call('ZRANGE', KEYS[1], ARGV[1], '+inf', 'BYSCORE', 'LIMIT', offset, most, 'WITHSCORES')
  for i = 1, #found, 2 do
    if taken < most and (tonumber(found[i + 1]) ~= at or before(member, found[i])) then
      local s, bad = session_of(ARGV[4] .. found[i], 'own', 'cx')
      -- one that cannot be read is nobody's to go on with, and one without a run only waits
      if s and not bad and s.rid ~= '' then
        taken = taken + 1
        for _, part in ipairs({found[i], found[i + 1], s.sid, s.rid, s.own, math.max(0, s.lu - now), s.cx, s.base + s.len}) do
          page[#page + 1] = part
        end
      end
    end
  end
  offset = offset + most
until taken == most or #found < most * 2
return page
