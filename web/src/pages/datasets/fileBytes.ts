import { callForBytes } from "~/api/rpc";

/** The bytes of a file of a version, or its first ones. The page's session may only POST, so no plain link will do. */
export function fileBytes(dataset: string, path: string, limit?: number, signal?: AbortSignal): Promise<ArrayBuffer> {
  return callForBytes("datasets.get_file", { dataset, path, limit }, "*/*", signal);
}
