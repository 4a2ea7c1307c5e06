import { useQuery } from "@tanstack/react-query";

import { call } from "~/api/rpc";
import type { NewCredential, ServerInfo } from "~/api/types.gen";
import { saveFile } from "~/state/download";
import { Snippet } from "~/widgets/states";

/** The configuration file of a training machine that uses this key. */
function configuration(key: NewCredential, address: string): string {
  return `api {
    web_server: "${address}"
    api_server: "${address}"
    files_server: "${address}/files"
    credentials {
        "access_key" = "${key.access_key}"
        "secret_key" = "${key.secret_key}"
    }
}
`;
}

/**
 * What to tell other machines: the address that the server was given, else the one that this page came from. Of a page
 * on the server's own machine that one leads nowhere from elsewhere.
 */
export function handedOut(server: ServerInfo | undefined, page: { origin: string; hostname: string }): string {
  const here = /^(localhost|127\.[\d.]+|\[::1\])$/.test(page.hostname);
  return server?.address || (here && server?.listens) || page.origin;
}

/** A key that was just made: the only time that its secret is shown. */
export function NewKey({ made, title }: { made: NewCredential; title: string }) {
  const info = useQuery({ queryKey: ["server"], queryFn: ({ signal }) => call("server.info", {}, signal) });
  const text = configuration(made, handedOut(info.data, location));
  return (
    <div className="panel">
      <header>
        <h2 className="grow">{title}</h2>
        <button type="button" className="button" onClick={() => saveFile("trialbook.conf", text)}>
          Download trialbook.conf
        </button>
      </header>
      <div className="body stack">
        <Snippet code={text} />
        <p className="caption">
          Save it as ~/trialbook.conf on the training machine, or set TRIALBOOK_API_ACCESS_KEY and
          TRIALBOOK_API_SECRET_KEY.
        </p>
      </div>
    </div>
  );
}
