#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/organisation.h"
#include "client/vault_file.h"

namespace godwit::client {

// What somebody is told who took their consent back: what of them was shared with whom by then.
struct Withdrawal {
  // What the receiver is told of the withdrawal.
  enum class Receiver {
    kNotAsked,  // nothing was shared any more
    kToBeTold,
    kTold,
  };
  struct Shared {
    content::v1::Transition transition;
    bool expired = false;  // nobody answered before its last day was over
    Receiver receiver = Receiver::kNotAsked;
  };
  std::string code;       // of the case
  std::uint32_t day = 0;  // of the withdrawal, since 1970-01-01 UTC
  // Every referral and transfer of the case, the first first; those that were not sent yet last.
  // Not there: those entered in error, and those without consent that no second person agreed to.
  std::vector<Shared> shared;
  bool offline = false;  // as this device has it
};

// NOT_FOUND: the person's consent does not stand withdrawn; or as ShowPerson. PERMISSION_DENIED: as
// ShowPerson, or part of the case does not open here, so that something may be missing.
base::Result<Withdrawal> OpenWithdrawal(Organisation& organisation, std::string_view code,
                                        From from);

}  // namespace godwit::client
