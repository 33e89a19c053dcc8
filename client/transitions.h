#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/organisation.h"
#include "client/vault_file.h"
#include "protocol/kinds.h"

namespace godwit::client {

// Referrals and transfers: what of a case is told to somebody outside, field by field, and by which
// consent. A referral asks another for a service, and the case stays; a transfer gives it away.

// How a person's consent stands to telling somebody.
enum class Sharing {
  kCovered,
  kNoConsent,     // none is recorded
  kNotAgreed,     // no yes to telling these
  kWithdrawn,     // taken back
  kExpired,       // its last day is over
  kOtherPartner,  // the yes names another organisation
  kWithheld,      // this is who must not be told
};
// `consent`: what the person agrees to now, or null. `today`: days since 1970-01-01 UTC.
Sharing SharingOf(const content::v1::Consent* consent, const content::v1::Transition& transition,
                  std::uint32_t today);
// "covered", "no_consent", ...
std::string_view NameOf(Sharing sharing);
// For how many days at most something may be told without consent, where somebody's life or health
// depends on it.
inline constexpr std::uint32_t kOverrideDays = 14;
// PERMISSION_DENIED: why nothing may be told, and what to do; not for kCovered.
base::Error SharingError(Sharing sharing);

// Whether its last day passed before anybody answered.
bool HasExpired(const content::v1::Transition& transition, std::uint32_t today);

// What a shared field names: "need" all specific needs, "identity_profile.names" one field.
struct SharedField {
  std::string root;
  content::v1::Record::BodyCase body = content::v1::Record::BODY_NOT_SET;
  protocol::Kind vault = protocol::Kind::kCase;
  std::string field;  // of the record; empty: all of it
};
// INVALID_ARGUMENT: no such field, or none that is told to others.
base::Result<SharedField> FindSharedField(std::string_view path);

// Makes `record`, which somebody filled in, a transition of that kind; `before`: as it was, or null
// for a new one. A new one begins in progress; what is told may be changed until there is an
// answer, and only with the person's consent, which is looked up and named, or where it is to be
// overridden. INVALID_ARGUMENT: something is missing, no such field, no such step from where it
// stands, or an override that is not needed or too long. PERMISSION_DENIED: as CheckAgreed, as
// SharingError, or the receiver's name is one of this caseworker's own people's.
base::Status PrepareTransition(Organisation& organisation, std::string_view code,
                               content::v1::TransitionKind kind, const content::v1::Record* before,
                               content::v1::Record& record);

// Whether this change is to tell something without the person's consent: an act of two, which goes
// with it. `before`: null for a new one.
bool Overrides(const content::v1::Record* before, const content::v1::Record& after);

// Whether two have agreed that what an entry of a case tells goes without the person's consent, as
// it stands, and nobody has ended that. UNAVAILABLE: it waits to be sent. PERMISSION_DENIED.
base::Status CheckOverridden(const VaultFile& case_file, const VaultFile::Entry& entry);

// Whether this change says that a transfer was accepted, which ends the case here: a coordinator's.
bool EndsCase(const content::v1::Record& before, const content::v1::Record& after);

// Those of a case that still share something.
std::vector<const VaultFile::Entry*> LiveTransitions(const VaultFile& case_file,
                                                     std::uint32_t today);

// What a transition tells, for whoever may tell it: read only where the consent covers it now, or
// two have overridden it for this very revision and no supervisor has ended that.
struct SharedCase {
  std::string code;
  content::v1::Transition transition;
  content::v1::Consent consent;  // that covers it; of an override, none
  bool overridden = false;
  struct Part {
    SharedField field;
    std::vector<content::v1::Record> records;  // empty: nothing is recorded
  };
  std::vector<Part> parts;
};
// `id`: the beginning of the record's id. PERMISSION_DENIED: as SharingError, or the transition has
// expired, was rejected or revoked. NOT_FOUND: no such transition, or the person is not this
// member's to read.
base::Result<SharedCase> OpenShared(Organisation& organisation, std::string_view code,
                                    std::string_view id, From from);

}  // namespace godwit::client
