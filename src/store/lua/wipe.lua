-- wipe: a session ends before its time, and with it the run that holds it and those that wait for it. Stands before reset and kill.
-- Whoever still works for it is fenced off: its token is gone, and the fence counter moves on.
-- KEYS 1 account … are the script's own; keys: {session, history, journal, waiting, runs, open, kept replies, events}
local function wipe(account, keys, member, results_prefix, detail)
  local s = redis.pcall('HMGET', keys[1], 'sid', 'rid')
  local sid, rid = not s.err and s[1] or '', not s.err and s[2] or ''
  if rid ~= '' then ended(keys[5], rid, 'killed', sid, '-', '0', detail) end
  if sid ~= '' then changed(keys[1], 'session_ended', sid, '', detail) end
  local waiting = redis.pcall('LRANGE', keys[4], 0, -1)
  if not waiting.err then
    for _, entry in ipairs(waiting) do
      local run, accepted = waiting_run(entry)
      ended(keys[5], run, 'killed', sid, '-', accepted, detail)
    end
  end
  local kept = redis.pcall('ZRANGE', keys[7], 0, -1)
  if not kept.err then for _, id in ipairs(kept) do redis.call('DEL', results_prefix .. id) end end
  redis.call('DEL', keys[1], keys[2], keys[3], keys[4], keys[7], keys[8])
  redis.call('ZREM', keys[6], member)
  return redis.call('HINCRBY', account, 'gen', 1)
end

