// What a platform's back end does with its managed users, by Cal.com's own client library.
// Prints one JSON object. Arguments: base URL, client id, client secret, a user's id.
const { Cal } = require("@calcom/sdk");

const [baseUrl, clientId, clientSecret, userId] = process.argv.slice(2);
const cal = new Cal(clientId, { clientSecret }, { baseUrl });

async function main() {
  const all = await cal.users.getManagedUsers({ limit: 250 });
  const page = await cal.users.getManagedUsers({ limit: 10, offset: 100 });
  const one = await cal.users.getManagedUser(Number(userId));
  const nobody = await cal.users.getManagedUser(999999).catch((error) => ({
    name: error.name,
    statusCode: error.statusCode,
  }));
  const unusable = await cal.users.getManagedUsers({ limit: 0 }).catch((error) => ({
    name: error.name,
    statusCode: error.statusCode,
  }));
  console.log(JSON.stringify({ all, page, one, nobody, unusable }));
}

main();
