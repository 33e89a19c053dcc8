#include "client/cli/live.h"

#include <algorithm>
#include <chrono>

#include "client/connect.h"
#include "transport/watcher.h"

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;
using base::Status;

constexpr auto kLook = std::chrono::milliseconds(200);
constexpr auto kAtMostEvery = std::chrono::seconds(1);
constexpr auto kAtLeastEvery = std::chrono::seconds(60);
constexpr auto kLockEvery = std::chrono::seconds(1);
// Of one call of the stream that waits for hints, so that its end is never waited for long.
constexpr transport::CallOptions kImpatient{.timeout = std::chrono::milliseconds(5'000),
                                            .tries = 1};

// Whether another try may go well: no connection, or another command in the profile.
bool Passes(const Status& status) {
  return status || IsOffline(status) || status.error().code() == Code::kResourceExhausted;
}

}  // namespace

Status StayLive(const Context& context, StandBy& kept, protocol::Compartment compartment,
                const Live& live) {
  const auto key = std::ranges::find(
      kept.keys, compartment, [](const auto& unlocked) { return unlocked.info.compartment; });
  if (key == kept.keys.end()) {
    return Error(Code::kPermissionDenied,
                 "this profile does not work in the realm that this needs");
  }
  const auto device = protocol::Device::FromSeed(key->seed);
  if (!device) return device.error();
  CatchInterrupts();
  transport::Watcher watcher([&] { return client::ConnectTo(key->info, *device, kImpatient); });
  const auto now = [] { return std::chrono::steady_clock::now(); };
  auto refreshed = now();
  auto asked_agent = now();
  bool due = false;
  Heard heard = Heard::kNotYet;
  while (!Interrupted()) {
    const auto news = watcher.Wait(kLook);
    due = due || news.changed;
    const Heard hears = !news.line ? Heard::kNo : news.changed ? Heard::kYes : heard;
    if (hears != heard) {
      heard = hears;
      live.say(heard, news.line);
      // A service that refuses to tell says why by what it answers to the rest.
      due = due || (heard == Heard::kNo && !Passes(news.line));
    }
    if (now() - asked_agent >= kLockEvery) {
      asked_agent = now();
      if (kept.IsLocked()) {
        return Error(Code::kPermissionDenied, "the keys were locked meanwhile: unlock them again");
      }
    }
    const auto since = now() - refreshed;
    if (since < kAtMostEvery || (!due && since < kAtLeastEvery)) continue;
    refreshed = now();
    due = false;
    auto session = Session::Resume(context, kept);
    // Another command works in the profile for long.
    due = !session && session.error().code() == Code::kDeadline;
    const Status status = session ? live.refresh(*session) : Status(session.error());
    if (!Passes(status)) return status;
  }
  return {};
}

}  // namespace godwit::cli
