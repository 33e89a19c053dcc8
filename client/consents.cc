#include "client/consents.h"

#include <algorithm>
#include <tuple>

namespace godwit::client {

const VaultFile::Entry* CurrentConsent(const VaultFile& person) {
  // The day on which somebody said so last. Withdrawing supersedes what was given, so that of one
  // day what was given is what came after; who declined before it said no twice.
  const auto said = [](const VaultFile::Entry& entry) {
    const auto& consent = entry.content.consent();
    const bool withdrawn = consent.state() == content::v1::CONSENT_STATE_WITHDRAWN;
    const bool given = consent.state() == content::v1::CONSENT_STATE_GIVEN;
    return std::tuple(withdrawn ? consent.withdrawn_day() : consent.given_day(), given, withdrawn);
  };
  const VaultFile::Entry* current = nullptr;
  for (const auto* entry : person.Of(content::v1::Record::kConsent)) {
    if (entry->content.consent().state() == content::v1::CONSENT_STATE_SUPERSEDED) continue;
    if (current == nullptr || said(*current) < said(*entry)) current = entry;
  }
  return current;
}

}  // namespace godwit::client
