#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/cli/output.h"
#include "client/organisation.h"
#include "client/self_audit.h"

namespace godwit::cli {

// One surprise of the self-audit, and where.
struct Alarm {
  client::Realm* realm;
  client::Surprise surprise;

  std::string id() const;  // hexadecimal
  Json json() const;
};
base::Result<std::vector<Alarm>> FindAlarms(client::Organisation& organisation);

// What a notice says, of a policy what changed in it; not inert yet.
std::string NoticeText(client::Realm& realm, const client::Notice& notice);

// What stands above the output of every command: the alarms of the self-audit, until somebody
// answers them, and, once, what every member is shown. Not thread-safe.
class Alarms {
 public:
  // Both must outlive it.
  Alarms(Output& output, client::Organisation& organisation)
      : output_(output), organisation_(organisation) {}

  base::Status Begin();
  // Shows the alarms that came up since, unless they were answered.
  void End();
  // The ids of those that were shown, or that no longer need to be.
  std::set<std::string>& shown() { return shown_; }

 private:
  void Show(const Alarm& alarm);

  Output& output_;
  client::Organisation& organisation_;
  std::set<std::string> shown_;
};

}  // namespace godwit::cli
