#include "client/cli/partner.h"

#include "client/cli/entry.h"
#include "client/cli/facts.h"
#include "client/partners.h"

namespace godwit::cli {
namespace {

using base::Error;
using protocol::Compartment;

// Opens the realm of partners and does `act`, which writes one.
template <class Act>
ExitCode Do(const Context& context, base::Literal doing, std::string_view event, Act&& act) {
  auto session = Session::Open(context, {Compartment::kCases});
  if (!session) return context.output.Fail(doing, session.error());
  const base::Result<client::EntryWritten> written = act(session->organisation());
  if (!written) return context.output.Fail(doing, written.error());
  return SayEntry(context.output, *written, event);
}

}  // namespace

ExitCode PartnerAdd(const Context& context, const PartnerOptions& options) {
  const auto changes = ReadFacts(options.facts, options.from);
  if (!changes) return context.output.Fail("record the partner", changes.error());
  return Do(context, "record the partner", "added", [&](client::Organisation& organisation) {
    return client::AddPartner(organisation, *changes);
  });
}

ExitCode PartnerEdit(const Context& context, const PartnerOptions& options) {
  const auto changes = ReadFacts(options.facts, options.from);
  if (!changes) return context.output.Fail("change the partner", changes.error());
  return Do(context, "change the partner", "changed", [&](client::Organisation& organisation) {
    return client::ChangePartner(organisation, options.id, *changes);
  });
}

ExitCode PartnerStrike(const Context& context, const PartnerOptions& options) {
  return Do(context, "strike the partner", "struck", [&](client::Organisation& organisation) {
    return client::StrikePartner(organisation, options.id);
  });
}

ExitCode PartnerList(const Context& context, const PartnerOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("list the partners", why); };
  auto session = Session::Open(context, {Compartment::kCases}, UseOf(options.offline));
  if (!session) return fail(session.error());
  const auto file = client::OpenPartners(session->organisation(), client::FromOf(options.offline));
  if (!file) return fail(file.error());
  const auto directory =
      client::Directory::Read(**session->organisation().Get(Compartment::kCases));
  if (!directory) return fail(directory.error());
  if (file->offline()) output.Note("Offline: as of the last sync.");
  std::size_t shown = 0;
  for (const auto* entry : file->Of(content::v1::Record::kPartner, options.all)) {
    if (shown++ > 0) output.Line();
    ShowEntry(output, "partner", *entry, *directory);
  }
  if (shown == 0) output.Line("None.", Style::kFaint);
  return ExitCode::kOk;
}

}  // namespace godwit::cli
