"""What is paid for invoices, and what follows where nobody pays."""
