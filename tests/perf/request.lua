-- One request, again and again, by many users in turn; the same for the service and for what it is measured against.
-- A user's session takes one turn at a time. wrk has no say in which connection sends what, so every thread has users of its own
-- and many more of them than connections: a user's turn comes round again long after the last one was answered. If one was not,
-- the service answers 409, which is counted as an error.
-- Arguments: METHOD BODY TOKENS, the last a file with a token a line.

local threads = {}

function setup(thread)
  thread:set("share", #threads)
  table.insert(threads, thread)
end

function init(args)
  requests, at = {}, 0
  local body = args[2] ~= "" and args[2] or nil
  local n = 0
  for token in io.lines(args[3]) do
    if n % 2 == share then
      local headers = { Authorization = "Bearer " .. token }
      if body then headers["Content-Type"] = "application/json" end
      table.insert(requests, wrk.format(args[1], nil, headers, body))
    end
    n = n + 1
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local e = summary.errors
  print(string.format("figures %.1f %d %.3f %.3f %d", summary.requests / (summary.duration / 1e6),
    e.status + e.connect + e.read + e.write + e.timeout, latency:percentile(50) / 1000, latency:percentile(99) / 1000, summary.requests))
end
