#include "tools/admin/commands.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <system_error>
#include <utility>

#include "base/bytes.h"
#include "base/text_file.h"
#include "storage/migrate.h"
#include "storage/postgres.h"
#include "storage/roster_store.h"
#include "tools/admin/new_file.h"
#include "tools/admin/pki.h"

namespace godwit::admin {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kSecretMode = 0600;
constexpr mode_t kPublicMode = 0644;

base::Status WriteFile(const fs::path& path, base::ByteSpan bytes, mode_t mode,
                       NewFile::Existing existing) {
  auto file = NewFile::Begin(path, mode, existing);
  if (!file) return file.error();
  if (const auto status = file->Write(bytes); !status) return status;
  return file->Finish();
}

base::Result<crypto::SecretBytes> ReadSecret(const fs::path& path) {
  constexpr std::size_t kMost = 64 * 1024;
  const base::Error unreadable(base::Code::kIo, "a key file cannot be read");
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return unreadable;
  struct stat status {};
  const bool known = ::fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
                     static_cast<std::size_t>(status.st_size) <= kMost;
  crypto::SecretBytes bytes(known ? static_cast<std::size_t>(status.st_size) : 0);
  std::size_t read = 0;
  while (read < bytes.size()) {
    const ssize_t n = ::read(file, bytes.Expose().data() + read, bytes.size() - read);
    if (n <= 0) break;
    read += static_cast<std::size_t>(n);
  }
  ::close(file);
  if (!known || read != bytes.size()) return unreadable;
  return bytes;
}

void PrintPin(const base::Sha256Hash& pin, std::ostream& out) {
  out << "pin " << base::ToHex(pin.bytes()) << "\n";
}

}  // namespace

base::Status Migrate(const MigrateOptions& options, std::ostream& out) {
  storage::DatabaseOptions database_options;
  database_options.conninfo = options.database;
  database_options.connections = 1;
  storage::Database database(database_options);
  const auto report = storage::Migrate(database, storage::RealmMigrations(), options.role);
  if (!report) return report.error();
  out << "schema " << report->before << " -> " << report->after << "\n";

  // Seen first: a claim that was made and could not be written would be lost.
  std::error_code ignored;
  if (!options.claim_file.empty() && fs::exists(options.claim_file, ignored)) {
    return base::Error(base::Code::kExists, "the file for the claim is there already");
  }
  storage::RosterStore roster(database);
  const auto claim = roster.MakeClaim(options.new_claim);
  if (!claim) return claim.error();
  if (!*claim) {
    if (options.new_claim) out << "no claim: the realm exists\n";
    return {};
  }
  const std::string text = base::ToHex((*claim)->Expose()) + "\n";
  if (!options.claim_file.empty()) {
    return WriteFile(options.claim_file, base::AsBytes(text), kSecretMode,
                     NewFile::Existing::kKeep);
  }
  out << "claim " << text;
  return {};
}

base::Status PkiInit(const PkiInitOptions& options, std::ostream& out) {
  std::error_code error;
  fs::create_directories(options.folder, error);
  if (error) return base::Error(base::Code::kIo, "the folder cannot be made");
  const auto authority = MakeAuthority(kAuthorityDays);
  if (!authority) return authority.error();
  const auto pin = PinOf(authority->certificate);
  if (!pin) return pin.error();
  // The key first: where it is, there was an authority before.
  if (const auto status = WriteFile(options.folder / "ca.key", authority->key.Expose(), kSecretMode,
                                    NewFile::Existing::kKeep);
      !status) {
    return status;
  }
  if (const auto status =
          WriteFile(options.folder / "ca.crt", base::AsBytes(authority->certificate), kPublicMode,
                    NewFile::Existing::kReplace);
      !status) {
    return status;
  }
  PrintPin(*pin, out);
  return {};
}

base::Status PkiIssue(const PkiIssueOptions& options, std::ostream& out) {
  const auto certificate = base::ReadTextFile(options.folder / "ca.crt");
  if (!certificate) {
    return base::Error(base::Code::kIo, "ca.crt cannot be read: make the authority first");
  }
  auto key = ReadSecret(options.folder / "ca.key");
  if (!key) return key.error();
  const KeyedCertificate authority{*certificate, *std::move(key)};
  const auto pin = PinOf(authority.certificate);
  if (!pin) return pin.error();
  const auto server = IssueServer(authority, options.hosts, kServerDays);
  if (!server) return server.error();
  if (const auto status = WriteFile(options.folder / "server.key", server->key.Expose(),
                                    kSecretMode, NewFile::Existing::kReplace);
      !status) {
    return status;
  }
  // Clients find the authority that they pin beside the server's certificate.
  const std::string chain = server->certificate + authority.certificate;
  if (const auto status = WriteFile(options.folder / "server.crt", base::AsBytes(chain),
                                    kPublicMode, NewFile::Existing::kReplace);
      !status) {
    return status;
  }
  PrintPin(*pin, out);
  return {};
}

base::Status PkiFront(const PkiFrontOptions& options) {
  std::error_code error;
  fs::create_directories(options.folder, error);
  if (error) return base::Error(base::Code::kIo, "the folder cannot be made");
  const auto authority = MakeAuthority(kServerDays);
  if (!authority) return authority.error();
  const auto service = IssueServer(*authority, options.hosts, kServerDays);
  if (!service) return service.error();
  const auto front = IssueCaller(*authority, kServerDays);
  if (!front) return front.error();
  struct File {
    const char* name;
    base::ByteSpan bytes;
    mode_t mode;
  };
  const std::string chain = service->certificate + authority->certificate;
  for (const File& file : {File{"ca.crt", base::AsBytes(authority->certificate), kPublicMode},
                           File{"server.key", service->key.Expose(), kSecretMode},
                           File{"server.crt", base::AsBytes(chain), kPublicMode},
                           File{"front.key", front->key.Expose(), kSecretMode},
                           File{"front.crt", base::AsBytes(front->certificate), kPublicMode}}) {
    const auto written =
        WriteFile(options.folder / file.name, file.bytes, file.mode, NewFile::Existing::kReplace);
    if (!written) return written;
  }
  return {};
}

}  // namespace godwit::admin
