#pragma once

#include "base/id.h"

namespace godwit::server {

// Who calls: a device that was active in its realm when the call began, and the member it speaks
// for.
struct Caller {
  base::MemberId member;
  base::DeviceId device;
  base::Sha256Hash session;  // of the session's token
};

}  // namespace godwit::server
