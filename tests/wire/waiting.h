// Waiting for a condition, with a deadline. The wire tests never sleep for a fixed time and never
// assert how long something took: they ask again until it holds, and give up after half a minute.
#pragma once

#include <chrono>
#include <functional>

namespace vedette::wire {

/// How long any single wait may last. Generous: a sanitizer build on a busy machine is slow.
inline constexpr std::chrono::seconds kDeadline{30};

/// Asks `condition` until it holds (true) or `deadline` has passed (false).
bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds deadline = kDeadline);

}  // namespace vedette::wire
