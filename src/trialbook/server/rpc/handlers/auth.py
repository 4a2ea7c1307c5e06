"""Log-in and access keys."""

from trialbook.server.rpc import log_in
from trialbook.server.rpc.http_call import HttpCall
from trialbook.server.rpc.registry import handles
from trialbook.server.services.bundle import Services
from trialbook.server.services.call import Call
from trialbook.wire import auth as wire
from trialbook.wire.query import Empty


@handles("auth.login")
def login(services: Services, call: HttpCall, ask: wire.Login) -> wire.LoginReply:
    """A token for a key, a token, or a page's form."""
    return log_in.by_key(services, call, ask)


@handles("auth.login_local")
def login_local(services: Services, call: HttpCall, _ask: Empty) -> wire.LoginReply:
    """A session for a page on the machine of a private server."""
    return log_in.on_this_machine(services, call)


@handles("auth.create_link")
def create_link(services: Services, call: Call, _ask: Empty) -> wire.LinkReply:
    """A link that logs the caller's browser in once."""
    return wire.LinkReply(link=services.accounts.links.make(call.caller, call.now))


@handles("auth.login_link")
def login_link(services: Services, call: HttpCall, ask: wire.LoginLink) -> wire.LoginReply:
    """A session for a page that was opened with a link."""
    return log_in.by_link(services, call, ask)


@handles("auth.logout")
def logout(services: Services, call: HttpCall, _ask: Empty) -> Empty:
    """Forget the page's cookie, and end its session."""
    log_in.out(services, call)
    return Empty()


@handles("auth.create_credentials")
def create_credentials(
    services: Services, call: Call, ask: wire.CreateCredentials
) -> wire.CreateCredentialsReply:
    """A new access key of the caller."""
    return wire.CreateCredentialsReply(credentials=services.credentials.create(call, ask))


@handles("auth.get_credentials")
def get_credentials(services: Services, call: Call, ask: wire.OfUser) -> wire.GetCredentialsReply:
    """The caller's access keys, or another user's for an administrator."""
    return wire.GetCredentialsReply(credentials=services.credentials.keys(call, ask.user))


@handles("auth.edit_credentials")
def edit_credentials(services: Services, call: Call, ask: wire.EditCredentials) -> wire.CredentialUpdated:
    """Another label."""
    return wire.CredentialUpdated(updated=services.credentials.label(call, ask))


@handles("auth.revoke_credentials")
def revoke_credentials(services: Services, call: Call, ask: wire.RevokeCredentials) -> wire.RevokeReply:
    """End a key."""
    return wire.RevokeReply(revoked=services.credentials.revoke(call, ask))


@handles("auth.get_sessions")
def get_sessions(services: Services, call: Call, ask: wire.OfUser) -> wire.SessionsReply:
    """Browsers that are logged in without a key."""
    return wire.SessionsReply(sessions=services.credentials.sessions(call, ask.user))


@handles("auth.end_session")
def end_session(services: Services, call: Call, ask: wire.EndSession) -> wire.RevokeReply:
    """End the token of a browser."""
    return wire.RevokeReply(revoked=services.credentials.end_session(call, ask))
