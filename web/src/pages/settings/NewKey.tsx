import { useQuery } from "@tanstack/react-query";

import { call } from "~/api/rpc";
import type { NewCredential } from "~/api/types.gen";
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

/** A key that was just made: the only time that its secret is shown. */
export function NewKey({ made, title }: { made: NewCredential; title: string }) {
  const info = useQuery({ queryKey: ["server"], queryFn: ({ signal }) => call("server.info", {}, signal) });
  const text = configuration(made, info.data?.address || location.origin);
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
        <p className="caption">Save it as ~/trialbook.conf on the training machine, or set TRIALBOOK_API_ACCESS_KEY and TRIALBOOK_API_SECRET_KEY.</p>
      </div>
    </div>
  );
}
