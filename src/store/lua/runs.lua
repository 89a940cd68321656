-- runs: what is known of runs that have ended. Stands before every script that ends one, after overview.
-- A user's newest runs are members of one sorted set, all with score 0, so that they are in the order of their ids, which is that of time:
-- '<run>|<ending>|<session>|<number of its turn, or ->|<accepted ms>|<ended ms>|<detail>'
-- Of too many the oldest are forgotten, now and then: it is not worth a command at every end.
local RUNS_KEPT, RUNS_KEPT_MS, FORGOTTEN_EVERY = 256, 86400000, 16

-- counts: what else it comes to, {what, how many, …}
local function ended(key, run, ending, session, turn, accepted, detail, fence, counts)
  redis.call('ZADD', key, 0, string.format('%s|%s|%s|%s|%s|%d|%s', run, ending, session, turn, accepted, now, detail))
  if not fence or fence % FORGOTTEN_EVERY == 0 then redis.call('ZREMRANGEBYRANK', key, 0, -RUNS_KEPT - 1) end
  redis.call('PEXPIRE', key, RUNS_KEPT_MS)
  tally(key, {(detail == 'call' and 'call|' or 'turn|') .. ending, 1, unpack(counts or {})})
  changed(key, 'turn_ended', session, run, ending .. '|' .. detail)
end

-- what is known of a run that has ended, or nil
local function ended_run(key, run)
  return redis.call('ZRANGE', key, '[' .. run .. '|', '(' .. run .. '}', 'BYLEX', 'LIMIT', 0, 1)[1]
end

